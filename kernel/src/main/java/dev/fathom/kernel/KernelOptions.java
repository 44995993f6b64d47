// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How to look for a kernel.
 *
 * @param index the folder of the on-disk index; empty to do without
 * @param trustVmcoreinfo whether VMCOREINFO is believed when there is one
 * @param progress told of work that takes long
 */
public record KernelOptions(Optional<Path> index, boolean trustVmcoreinfo, Progress progress) {}
