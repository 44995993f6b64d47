// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.Range;
import java.util.List;
import java.util.Optional;

/**
 * Code and data loaded into the target: the kernel proper or a module.
 *
 * @param name {@code vmlinux} for a Linux kernel proper, else the module's name
 * @param ranges the virtual addresses it takes
 * @param buildId lower-case hexadecimal digits of the GNU build-id
 * @param object the address of the structure that describes it (Linux: {@code struct module}), 0
 *     has no meaning: absent if none
 */
public record Image(
    String name, List<Range> ranges, Optional<String> buildId, java.util.OptionalLong object) {}
