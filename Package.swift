// swift-tools-version: 6.2
import PackageDescription

// Leaf targets first; an arrow only ever points to a target listed above it.

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["ApusTestSupport"], swiftSettings: swiftSettings)
}

// The last five for incremental builds: SwiftPM does not compile a program anew when only what Apus exports has changed.
let umbrella: [Target.Dependency] = [
    "Apus", "ApusCompute", "ApusDistributed", "ApusGeneration", "ApusHub", "ApusTokenizers",
]

func program(_ name: String, path: String, _ more: [Target.Dependency] = []) -> Target {
    .executableTarget(name: name, dependencies: umbrella + more, path: path, swiftSettings: swiftSettings)
}

let examples = ["Hello", "PromptsOneByOne", "PromptsInBatches", "PromptsByQueue", "OddSplit"]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

/// What speaks HTTPS takes as long to compile as Apus itself, so a program that has no use for it can leave it out.
let download = TargetDependencyCondition.when(traits: ["Download"])
let network: [Target.Dependency] = [
    .product(name: "AsyncHTTPClient", package: "async-http-client", condition: download),
    .product(name: "NIOCore", package: "swift-nio", condition: download),
    .product(name: "NIOHTTP1", package: "swift-nio", condition: download),
    .product(name: "NIOPosix", package: "swift-nio", condition: download),
]

let package = Package(
    name: "apus",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Apus", targets: ["Apus"]),
        .library(name: "ApusRuns", targets: ["ApusRuns"]),
        .library(name: "ApusBench", targets: ["ApusBench"]),
        .library(name: "ApusDownload", targets: ["ApusDownload"]),
        .executable(name: "apus", targets: ["ApusCLI"]),
    ],
    traits: [
        .trait(name: "Download", description: "apus download, over HTTPS by async-http-client"),
        .default(enabledTraits: ["Download"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .target(name: "CApusKernels"),
        library("ApusJSON"),
        library("ApusCompute"),
        library("ApusCPU", ["CApusKernels", "ApusCompute"]),
        library("ApusCheckpoints", ["ApusCompute", "ApusJSON"]),
        library("ApusHub", ["ApusJSON"]),
        library("ApusDownload", ["ApusHub", "ApusJSON"] + network),
        library("ApusTemplates", ["ApusJSON"]),
        library("ApusTokenizers", ["ApusJSON", "ApusCheckpoints", "ApusHub", "ApusTemplates", heap]),
        library("ApusModels", ["ApusJSON", "ApusCompute", "ApusCheckpoints"]),
        library(
            "ApusGeneration",
            ["ApusJSON", "ApusCompute", "ApusCheckpoints", "ApusModels", "ApusTokenizers", deque, heap]),
        .target(name: "CApusProcess"),
        library(
            "ApusDistributed",
            ["CApusProcess", "ApusCompute", "ApusJSON", deque, heap, logging, nioCore, nioPosix]),
        library(
            "Apus",
            [
                "ApusCheckpoints", "ApusCompute", "ApusCPU", "ApusHub", "ApusJSON", "ApusTokenizers", "ApusModels",
                "ApusGeneration", "ApusDistributed",
            ],
            resources: [.copy("Demo")]),
        library(
            "ApusRuns",
            [
                "Apus", "ApusCheckpoints", "ApusCompute", "ApusCPU", "ApusDistributed", "ApusGeneration", "ApusHub",
                "ApusJSON", "ApusModels", "ApusTokenizers",
            ]),
        library(
            "ApusBench",
            [
                "Apus", "ApusCheckpoints", "ApusCompute", "ApusCPU", "ApusDistributed", "ApusGeneration", "ApusJSON",
                "ApusModels", "ApusRuns",
            ]),
        library(
            "ApusSimulation", ["ApusCheckpoints", "ApusDistributed", "ApusJSON", "ApusRuns", deque, heap]),
        .executableTarget(
            name: "ApusCLI",
            dependencies: [
                "Apus", "ApusBench", "ApusSimulation", "ApusCompute", "ApusCPU", "ApusDistributed", "ApusDownload",
                "ApusGeneration",
                "ApusHub", "ApusJSON", "ApusModels", "ApusRuns", "ApusTokenizers", argumentParser,
            ],
            swiftSettings: swiftSettings, plugins: ["NameCommit"]),
        .plugin(name: "NameCommit", capability: .buildTool()),

        .target(
            name: "ApusTestSupport", dependencies: ["ApusCheckpoints", "ApusJSON"], path: "Tests/ApusTestSupport",
            swiftSettings: swiftSettings),
        tests("ApusJSONTests", ["ApusJSON"]),
        tests("ApusCPUTests", ["ApusCPU", "ApusCheckpoints", "ApusCompute", "CApusKernels"]),
        tests("ApusCheckpointsTests", ["ApusCheckpoints", "ApusCompute", "ApusJSON"]),
        tests("ApusHubTests", ["ApusHub", "ApusDownload", "ApusJSON"]),
        tests("ApusTemplatesTests", ["ApusTemplates", "ApusJSON"]),
        tests("ApusTokenizersTests", ["ApusTokenizers", "ApusJSON"]),
        tests("ApusModelsTests", ["ApusModels", "ApusCPU", "ApusCompute", "ApusCheckpoints", "ApusJSON"]),
        tests(
            "ApusGenerationTests",
            [
                "ApusGeneration", "ApusModels", "ApusCheckpoints", "ApusCPU", "ApusCompute", "ApusJSON",
                "ApusTokenizers",
            ]),
        .executableTarget(
            name: "apus-test-rank", dependencies: ["ApusCompute", "ApusDistributed"], path: "Tests/ApusTestRank",
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "apus-fuzz",
            dependencies: [
                "ApusJSON", "ApusCompute", "ApusCPU", "ApusCheckpoints", "ApusTokenizers", "ApusModels",
                "ApusGeneration", "ApusTestSupport",
            ],
            path: "Tests/Fuzz", swiftSettings: swiftSettings),
        .executableTarget(
            name: "apus-render", dependencies: ["ApusJSON", "ApusTemplates"], path: "Tests/Render",
            swiftSettings: swiftSettings),
        program("apus-readme", path: "Tests/ReadmeProgram"),
        tests("ApusDistributedTests", ["ApusCompute", "ApusDistributed", "ApusJSON"]),
        tests("ApusRunsTests", ["ApusJSON", "ApusRuns"]),
        tests("ApusSimulationTests", ["ApusDistributed", "ApusRuns", "ApusSimulation"]),
        tests("ApusCLITests", ["ApusJSON"]),
        program("PromptsInARun", path: "Examples/PromptsInARun", ["ApusRuns"]),
    ] + examples.map { program($0, path: "Examples/\($0)") },
    swiftLanguageModes: [.v6]
)
