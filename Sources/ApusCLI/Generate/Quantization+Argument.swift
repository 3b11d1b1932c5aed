public import Apus
package import ApusModels
public import ArgumentParser

extension Quantization: ExpressibleByArgument {}
extension CheckpointFormat: ExpressibleByArgument {}
