// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.Datum;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.VirtualMemory;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * What the reader of one format found in a dump.
 *
 * @param format the format's name, as {@link dev.fathom.target.TargetInfo#format}
 * @param facts what the headers say, put together when asked: dates take long to start up
 * @param release the kernel release that the header states
 */
record Contents(
    String format,
    Optional<PhysicalMemory> physical,
    Optional<VirtualMemory> virtual,
    DumpNotes notes,
    Optional<byte[]> vmcoreinfo,
    OptionalLong physBase,
    Optional<String> release,
    Supplier<List<Datum.Field>> facts,
    List<String> warnings) {}
