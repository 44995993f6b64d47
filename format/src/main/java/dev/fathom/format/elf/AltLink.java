// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import java.util.Optional;

/**
 * What {@code .gnu_debugaltlink} says: the file that dwz moved debug information to that several
 * files share. Its path, NUL, its build-id.
 *
 * @param path absolute, or relative to the folder of the file with the link
 */
public record AltLink(String path, Optional<BuildId> buildId) {}
