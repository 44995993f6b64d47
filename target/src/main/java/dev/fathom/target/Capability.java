// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/** A power that some targets have. */
public sealed interface Capability
    permits PhysicalMemory,
        VirtualMemory,
        KernelNotes,
        Live,
        RunControl,
        Glimpse,
        Breakpoints,
        MemoryWriter,
        RegisterWriter,
        RegisterKeeper,
        RawRegisters,
        FloatingRegisters,
        ProcessView,
        SignalControl,
        SystemCalls,
        CheckedMemory {}
