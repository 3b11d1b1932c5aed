package import ApusCompute
import Synchronization

extension CPUDevice {
    package func reserveWorkspace(_ demand: WorkspaceDemand) throws(ComputeError) {
        try workspace.withLock { workspace throws(ComputeError) in
            _ = try grow(&workspace.packed, to: sizes.packedByteCount(demand))
            _ = try grow(&workspace.scratch, to: sizes.scratchByteCount(demand))
            let rows = sizes.expertByteCount(demand)
            if rows > 0 { _ = try grow(&workspace.expertRows, to: rows) }
        }
    }

    package func workspaceByteCount(_ demand: WorkspaceDemand) -> Int { sizes.byteCount(demand) }
}
