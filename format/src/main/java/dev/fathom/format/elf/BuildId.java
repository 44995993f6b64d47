// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.ByteSource;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A GNU build-id: what the linker wrote into a file and its debug file to tell that they belong
 * together.
 *
 * @param hex its bytes as lower-case hexadecimal digits, an even number of them
 */
public record BuildId(String hex) {
  /** The linker's are of 8, 16 or 20 bytes, or what its user gave. */
  private static final int MAX_BYTES = 64;

  private static final Pattern DIGITS = Pattern.compile("([0-9a-f]{2}){2," + MAX_BYTES + "}");

  /** The id with these bytes; absent when they are too few or too many to be one. */
  public static Optional<BuildId> of(ByteSource bytes) {
    return bytes.size() > MAX_BYTES
        ? Optional.empty()
        : parse(HexFormat.of().formatHex(bytes.bytes(0, (int) bytes.size())));
  }

  /** The id with these hexadecimal digits; absent when they are not 4 to 128 of them. */
  public static Optional<BuildId> parse(String hex) {
    var lower = hex.toLowerCase(Locale.ROOT);
    return DIGITS.matcher(lower).matches() ? Optional.of(new BuildId(lower)) : Optional.empty();
  }

  @Override
  public String toString() {
    return hex;
  }
}
