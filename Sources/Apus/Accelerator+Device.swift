import ApusCPU
public import ApusCompute
public import ApusDistributed

extension Accelerator {
    /// What a model of this process goes to unless it is told otherwise: `cpu`, or where the machine's cores are several
    /// devices (NUMA nodes, or what `apus launch --cpu-devices` says), that of ``localProcessIndex`` modulo their number.
    ///
    ///     let model = try AutoModelForCausalLM.from(pretrained: directory, deviceMap: ["": accelerator.device])
    public var device: DeviceID { (try? LocalDevices())?.standard(localRank: localProcessIndex) ?? .cpu }
}
