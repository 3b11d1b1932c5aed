"""Small plots as beats. `[a|b]` picks one; `{slot}` is filled from the story's cast, see `grammar.py`."""

FRIENDLY_ENDINGS = [
    "[From that day on|After that], {hero} and {friend} were [best|good] friends.",
    "{hero} and {friend} [walked home together|laughed all the way home|sat together until the stars came out].",
    "That night, {hero} [fell asleep|went to bed] with a smile.",
    "And so {hero} [was never lonely again|had a new friend|was happy again].",
    "{hero} never forgot [how kind {friend} had been|that day|what {friend} had done].",
    "It was the best day {he} had ever had.",
]
# Where the day was a hard one, or is already over.
QUIET_ENDINGS = [ending for ending in FRIENDLY_ENDINGS if "day {he}" not in ending and "That night" not in ending]

LOST = [
    "{time}, {hero} [lost {his} {thing}|could not find {his} {thing}|saw that {his} {thing} was gone].",
    "{He} looked {spot}, but [it was not there|there was nothing there|{he} found only {food}].",
    "[Then {he} {gait} to {place} and looked there too.|{He} looked in {place} too.|]",
    "\"[Have you seen|Did you see] my {thing}?\" {he} asked {a_friend}.",
    "[\"No,\" said {friend}, \"but I will help you look.\"|\"Let us look together,\" said {friend}.|"
    "\"I am good at finding things,\" said {friend}. \"Come with me.\"]",
    "They looked [and looked|everywhere|all day long], and [at last|in the end] {friend} saw something {color} {spot2}.",
    "It was the {thing}! {hero} [jumped for joy|was so happy that {he} danced|gave {friend} a big hug].",
    "[\"Thank you,\" {he} said. \"You are a true friend.\"|{He} thanked {friend} and shared {food} with {fhim}.]",
]

HUNGRY = [
    "{time}, {hero} was very hungry, but there was [nothing left to eat|no food in the house].",
    "{He} {gait} to {place} to look for {food}.",
    "On the way, {he} [met|saw] {a_friend} who [looked sad|was sitting {spot}|was crying].",
    "\"[What is wrong|Why are you so sad]?\" asked {hero}. \"I am hungry too,\" said {friend}.",
    "[So they looked together.|They went on together.|{hero} felt sorry for {friend}.] "
    "{spot_cap}, they found {food}.",
    "[{He} could have eaten it all alone, but {he} gave half of it to {friend}.|{hero} cut it in two, one half for each of them.|"
    "\"Half for you and half for me,\" said {hero}.]",
    "[It tasted better than anything {he} had ever eaten.|They ate until they were full.|Food tastes best with a friend, {he} thought.]",
]

STORM = [
    "{time}, [a big storm came|dark clouds came over {place}|the wind began to howl and the rain came down].",
    "{hero} was [afraid of the thunder|very scared|wet and cold]. {He} hid {spot}.",
    "There {he} found {a_friend}, who was [shaking|hiding too|even more afraid].",
    "\"[Do not be afraid|Do not worry],\" said {hero}, [though {his} own heart was beating fast|as bravely as {he} could]. \"We can wait together.\"",
    "[They told each other stories|They sang a song|They counted the seconds after each flash] until the storm was over.",
    "When the sun came out, [there was a rainbow over {place}|the whole world was shining|the air was fresh and clean].",
    "\"I was brave because you were here,\" said {friend}. [\"So was I,\" said {hero}.|{hero} smiled.]",
]

RESCUE = [
    "{time}, {hero} {gait} to {place}. {He} heard a small voice. \"Help! Help!\"",
    "[It was {a_friend}. {fHe} was stuck {spot}.|{a_friend} had fallen into a hole and could not get out.|"
    "{a_friend} was caught in an old net.]",
    "\"Hold on!\" [called|cried|said] {hero}. \"I will help you.\"",
    "{He} [pulled and pulled, but it was not enough|tried once, but {he} was not strong enough|looked around and thought hard].",
    "Then {he} [found a long stick|found a piece of rope|had an idea], and [with one big pull|little by little|after a while] {friend} was free.",
    "\"You [saved me|are very brave]!\" said {friend}. [\"How can I thank you?\"|\"I will never forget it.\"]",
    "[\"Just be my friend,\" said {hero}.|\"Anyone would have done it,\" said {hero}.|{friend} gave {hero} {a_thing} as a gift.]",
]

LONELY = [
    "{hero} had [no friends|nobody to play with] and [was often sad|felt very alone].",
    "{time}, {he} {gait} to {place} and sat down {spot}.",
    "{a_friend} came by with {a_thing}. \"[Would you like to play|Do you want to play with me]?\" {fhe} asked.",
    "{hero} was [shy|surprised], but {he} [nodded|said yes]. \"I would like that very much.\"",
    "They played [all day|until it was dark|until they were both tired]. First {friend} hid the {thing}, and {hero} found it.",
    "Then {hero} hid it, and {friend} looked [for a long time|everywhere]. They laughed and laughed.",
    "\"[Will you come back tomorrow|Can we play again tomorrow]?\" asked {hero}. \"[Of course|Yes, every day]!\" said {friend}.",
]

BUILD = [
    "{time}, {hero} wanted to build [a boat|a little house|a bridge|a kite|a snowman|a swing].",
    "{He} worked all morning, but [the wind blew it down|it fell to pieces|it would not hold together].",
    "[\"I will never do it,\" {he} said.|{He} sat down {spot} and sighed.|{He} was so angry that {he} stamped on the ground.]",
    "{a_friend} [watched {him} for a while|came by and looked at it]. \"[Try again, but slowly|Let us try it together|Do not give up],\" {fhe} said.",
    "So {hero} tried again. {friend} brought [some wood|a rope|some nails|some straw], and {hero} [held everything in place|did the rest].",
    "[At last it was done.|When the sun went down, it was ready.] It was [a little crooked, but strong|more beautiful than {he} had hoped].",
    "\"[We did it|Look at it],\" said {hero}. [\"Two are better than one,\" said {friend}.|{friend} clapped.]",
]

JOURNEY = [
    "{hero} had always wanted to see [the sea|the big city|the top of the mountain|the end of the rainbow|the other side of the hill].",
    "{time}, {he} packed {food} and {a_thing} and set off.",
    "{He} {gait} past {place} and over {place2}. [The road was long.|{His} feet began to hurt.|{He} sang all the way.]",
    "When night came, {he} slept {spot}, [with the moon as {his} lamp|and dreamed of home|warm under some leaves].",
    "In the morning, {he} met {a_friend} who knew the way. \"[It is not far now|Follow me],\" said {friend}.",
    "[And then {he} saw it.|At last they were there.] It was [even bigger than {he} had dreamed|so beautiful that {he} could not speak|quiet and full of light].",
    "{He} stayed [for a while|all day], and then {he} [turned around|thought of home]. "
    "\"[The world is big, but home is best|I will come back one day],\" said {hero}.",
]

RACE = [
    "{time}, {friend_intro} said, \"I am faster than you!\"",
    "\"[We will see|Let us have a race]!\" said {hero}. [\"From here to {place}.\"|\"The first one at {place} wins.\"]",
    "One, two, three, and off they went. {friend} was [far in front|much faster], and {hero} [ran as fast as {he} could|did {his} best].",
    "But [half way there|near {place2}], {friend} [fell over a root|stepped on a thorn|fell into the mud] and [cried out|could not go on].",
    "{hero} could have won. [But {he} stopped.|Instead, {he} turned back.] \"[Are you hurt|Can you stand]?\" {he} asked.",
    "{He} helped {friend} up, and they [walked to the end together|crossed the line side by side].",
    "\"[So who won|Who is the winner]?\" asked {friend}. \"[We both did|Nobody and everybody],\" said {hero}, and they [laughed|shared {food}].",
]

GARDEN = [
    "{time}, {hero} found a [tiny|small|strange] seed {spot}.",
    "{He} [put it in the ground|planted it near {home_short}] and gave it some water.",
    "The next day, [nothing happened|there was nothing to see]. {He} waited [and waited|one week, and then another].",
    "\"[Maybe it is asleep|It will never grow],\" {he} told {a_friend}. \"[Be patient|Good things take time],\" said {friend}.",
    "Then, one morning, there was a [small green leaf|little green shoot]. Day by day it grew [taller|higher and higher].",
    "In the summer it was [a tall sunflower|an apple tree|a rose with {color} flowers|the biggest pumpkin in the land].",
    "[Everyone came to see it.|{hero} and {friend} sat in its shade.] \"[You were right|It was worth the wait],\" said {hero}.",
]

SLEEP = [
    "{time2}, {hero} could not sleep. [It was too quiet.|The moon was too bright.|{He} kept thinking about {place}.]",
    "{He} [turned to the left and turned to the right|counted to a hundred|closed {his} eyes], but it did not help.",
    "So {he} {gait} outside. {a_friend} was sitting {spot}, looking at the sky.",
    "\"Can you not sleep either?\" asked {friend}. [\"No,\" said {hero}.|{hero} shook {his} head.]",
    "\"Then let us count the stars,\" said {friend}. [They counted one, two, three, and many more.|\"One, two, three,\" they began.]",
    "[Before they came to twenty|After a while|Soon], {hero} [began to yawn|closed {his} eyes|was fast asleep].",
    "{friend} [put a blanket over {him}.|smiled.|whispered, \"Good night.\"] [The moon shone on them both.|And the night was still.]",
]

WARNING = [
    "\"Never go [near {place}|to {place} alone],\" {his} mother always said.",
    "But {hero} was curious. {time}, {he} {gait} there [all the same|when nobody was looking].",
    "At first it was [fun|beautiful|quiet]. {He} found {food} and {a_thing}.",
    "But then [it grew dark|the fog came|{he} heard a strange noise], and {he} [did not know the way home|could not see the path]. {He} began to cry.",
    "{a_friend} heard {him}. \"[Do not cry|Dry your tears],\" {fhe} said. \"I know where you live.\"",
    "{friend} [showed {him} the way|walked in front], and [soon|before long] {hero} saw the lights of home.",
    "{His} mother hugged {him}. \"[I am sorry|Next time I will listen],\" said {hero}, and {he} meant it.",
]

GIFT = [
    "{time}, {hero} remembered that it was the birthday of {friend_intro}.",
    "\"What can I give {fhim}?\" {he} thought. {He} had [no money|only {food}].",
    "{He} {gait} to {place} and looked for [something nice|a gift]. {spot_cap}, {he} found {a_thing}.",
    "[It was old and dirty|It was a little broken], so {he} [washed it|cleaned it|mended it] until it was as good as new.",
    "{friend} opened the gift [slowly|with shining eyes]. \"[It is the best gift of all!|How did you know?]\" {fhe} said. \"I always wanted a {color} {thing_bare}!\"",
    "They [ate cake|sang songs|danced] [until late at night|until the moon came up].",
]

SONG = [
    "{hero} loved to sing, but [{his} voice was very small|{he} only knew one song|everybody laughed at {him}].",
    "{time}, {he} went to {place}, where [nobody could hear {him}|it was quiet], and sang [as loud as {he} could|with all {his} heart].",
    "\"{Sound}, {sound}, {sound}!\" [it went over the fields|it sounded through the trees].",
    "{a_friend} was {spot} and heard it. \"[Who is singing so nicely?|What a lovely song!]\" {fhe} said.",
    "{hero} [blushed|looked at the ground]. \"It was only me,\" {he} said. \"[Do you really like it|Is it good]?\"",
    "\"[Sing it again|Please teach me],\" said {friend}. So they sang it together, [again and again|first softly, then louder].",
    "[Soon everyone came to listen, and nobody laughed.|By evening, the whole village was singing along.]",
]

SNOW = [
    "{snowtime}, {hero} looked out and saw that everything was white. \"Snow!\" {he} cried.",
    "{He} {gait} outside and [made a big snowball|rolled in it|caught a snowflake on {his} nose].",
    "{a_friend} came along. {fHe} was cold and [had no scarf|had lost {fhis} hat].",
    "[\"You can have mine,\" said {hero}.|{hero} gave {fhim} a warm {color} scarf.|\"Come and run with me, and you will be warm,\" said {hero}.]",
    "They [built a snowman with a carrot for a nose|slid down the hill|made paths all over {place}] until [their feet were cold|the sun went down].",
    "Then they went inside and had [hot soup|hot milk with honey|tea and cake] by the fire.",
]

EGG = [
    "{time}, {hero} found [an egg|a white egg|a big egg with spots] {spot}.",
    "\"[Whose egg is this|Who lost an egg]?\" {he} asked. Nobody knew.",
    "{He} asked {a_friend}, but {friend} [only shook {fhis} head.|said, \"It is not mine.\"]",
    "So they [kept it warm|put it in a nest of soft wool|sat with it] all night. In the morning, [crack, the egg opened|there was a small sound, and the egg opened].",
    "Out came a tiny [duckling|chick|bird]. \"[Mama|Peep]!\" it said.",
    "{hero} and {friend} [carried it to {place}|looked for its family], and there its mother was waiting. [She had looked everywhere.|She cried for joy.]",
    "\"Thank you,\" she said. \"[Come and see us any time|You have kind hearts].\"",
]

TREASURE = [
    "{time}, {hero} found an old map {spot}. [There was a big cross near {place}.|It showed the way to a treasure.]",
    "{He} [showed it to|took it to] {a_friend}. \"[A treasure|A real map]!\" said {friend}. \"[Let us go|We must find it].\"",
    "They {gait2} past {place2} and [around the big stone|over the bridge|through the dark trees].",
    "Then they dug [and dug|a deep hole], until they found a [heavy|wooden|rusty] box.",
    "Inside there was no gold. There was [only {a_thing} and a note|a note and {food}].",
    "\"The real treasure is [the friend who came with you|a friend],\" it said.",
    "[They looked at each other and laughed.|{hero} thought about it and smiled.|\"That is true,\" said {friend}.]",
]

TRADE = [
    "{time}, {hero} went to the market with {a_thing} to trade it for {food}.",
    "On the way {he} met {a_friend}. \"[What a nice {thing}|I have always wanted a {thing_bare} like that]!\" said {friend}. \"I only have a stone.\"",
    "{hero} looked at {friend}, who [was so poor|had such hopeful eyes], and [gave {fhim} the {thing}.|said, \"Take it.\"] Now {he} had only a stone.",
    "But when {he} [washed the stone|held it up to the sun], it [shone like a star|was blue and clear as glass].",
    "At the market, [a queen|a merchant|an old woman] saw it. \"I will give you [ten pies|a whole cart of food|a sack of gold] for it,\" she said.",
    "{hero} [ran back|went back] to {friend} and shared everything. \"[Kindness comes back|It was your stone],\" {he} said.",
]

PLOTS = [LOST, HUNGRY, STORM, RESCUE, LONELY, BUILD, JOURNEY, RACE, GARDEN, SLEEP, WARNING, GIFT, SONG, SNOW, EGG,
         TREASURE, TRADE]
