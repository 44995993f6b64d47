// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.Optional;

/**
 * An option of a command.
 *
 * @param letter the character behind the dash
 * @param argument the name of its argument in the usage line; empty for a flag
 * @param meaning one line for the help
 */
public record Option(char letter, Optional<String> argument, String meaning) {}
