// The one module that a program imports.
@_exported public import ApusCompute
@_exported public import ApusDistributed
@_exported public import ApusGeneration
@_exported public import ApusHub
@_exported public import ApusTokenizers
