public import Apus
public import ArgumentParser

extension Quantization: ExpressibleByArgument {}
