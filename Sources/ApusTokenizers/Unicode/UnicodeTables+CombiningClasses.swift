// Written by Tests/Parity/tokenizers_unicode.py from tokenizers 0.23.3; do not edit.

extension UnicodeTables {
    /// Runs of canonical combining classes.
    static let combiningClasses: StaticString = #"""
        _W?TeF@gFC{E@gF@wED{EAiEC{EAiEJ{ED@C{EBeFA?@eFA?@oF@eFB{EBeFA{E@?BeFC{E@eF@gFA{E@eF@hFAiF@hFAiF@hFLeFrG?DeFhG?
        @{ECeF@{EBeF@}E@{EEeFE{EAeF@{EAeF@}E@cF@eF@I@J@K@L@M@N@O@P@QAR@S@T@U@?@V@?@W@X@?@eF@{E@?@QgA?GeF@]@^@_@o@?@Z@[
        @\@]@^@_@@`@@a@AeFA{EDeF@{EAeF@{EO?@b@dB?FeFA?CeF@{E@eFA?AeF@?@{EAeF@{Eb@?@c@]?@eF@{EAeF@{EAeFB{E@eFA{E@eF@{E
        BeF@{E@eF@{E@eF@{E@eF@{EAeF_D?FeF@{E@eFa@?CeF@?HeF@?BeF@?DeFj@?B{EwB?MeF@?@{EAeF@{EAeF@{EBeFB{E@Z@[@\BeF@{EAeF
        A{EDeF{@?@FO?@HB?@eF@{EAeFfB?@FO?@HmB?@FO?@HmB?@FO?@HmB?@FO?@H~B?@H~B?@HF?@sA@zAdB?@FO?@H~B?@H{B?@HlB?AfB@HL?
        CjBkB?AuBM?CyBkA?A{EZ?@{E@?@{E@?@wEv@?@`C@aC@?@cCD?CaCA?@aC@?AeF@H@?AeF}@?@{EoB?@F@?AHqA?@{EnU?BeFs\?@H^?@H|C?
        @HI?@eFjE?@cFnC?@}E@eF@{EzE?@eF@{EfA?@HS?GeFA?@{Eo@?DeFE{EAeF@{EuB?@FN?@He@?@eF@{EFeFu@?AHy@?@FJ?AHbA?@FwC?BeF
        @?@@D{EAeFC{E@eF@?F@C?@{EE?@eFB?AeFeE?AeF@{EFeF@{EAeF@iF@uE@{E@iEd@eFD?@eF@hF@{E@eF@{EoU?AeFA@CeFB@AeFC?@eFB?
        A@@eF@{E@eFA@C{E@eF}~A?BeFlC?@H_B?_@eFiP?@yE@cF@gF@}EA_FhB?AGsm\?@eFC?IeF_@?AeFoA?AeFsG?@H|D?@HZ?QeFx@?B{Ed@?
        @H~A?@FK?@HnF?@eF@?AeF@{EA?AeFD?AeF@?@eFs@?@HuF?@HoxR?@Y`W?FeFF{EAeFl]?@{EaF?@{EtC?DeFqs@?@{E@?@eFg@?@eF@@@{E
        C?@HdD?@eF@{E~i@?@Hw@?@Hx@?@H@FdA?BeFo@?AH}@?@FkA?@HH?@FiB?@H@FqD?@F@HpA?@FO?@HW?FeFB?DeFlE?@HB?@FzB?@H@FzF?@H
        @F}B?@HuB?@H@FrB?@Hrg@?@HotR?D@z@?FeFfjS?@@eeD?AwEB@B?@aFDwEG?G{EA?DeFA{E]?CeFsC?BeFzlB?FeF@?PeFA?FeF@?AeF@?
        DeFddA?F{ElB?EeF@Fttd]?
        """#
}
