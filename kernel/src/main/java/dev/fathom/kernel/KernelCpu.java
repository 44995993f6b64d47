// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import java.util.List;
import java.util.Optional;

/**
 * A CPU as the operating system sees it.
 *
 * @param id the kernel's number for it
 * @param object its per-CPU run queue or like structure (Linux: {@code struct rq}), where found
 * @param registers its registers, where the target has them
 * @param current the thread on it
 * @param facts more columns for {@code ::cpuinfo}, such as nr_running, in a stable order
 */
public record KernelCpu(
    int id,
    Optional<Value> object,
    Optional<Registers> registers,
    Optional<Task> current,
    List<dev.fathom.base.Datum.Field> facts) {}
