// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.base.Datum;
import java.util.List;

/**
 * What a target is, for people.
 *
 * @param kind {@code crash dump}
 * @param name the file or address as the user gave it
 * @param format {@code ELF vmcore}, {@code kdump-compressed v6, zstd}, {@code flattened
 *     kdump-compressed v6, zlib}
 * @param architecture the CPU's name as in {@code uname -m}
 * @param facts more, in order: dump level, size, time, host
 */
public record TargetInfo(
    String kind, String name, String format, String architecture, List<Datum.Field> facts) {}
