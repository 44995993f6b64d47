// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A probe that a program was compiled with: a note in {@code .note.stapsdt}, as SystemTap's {@code
 * sys/sdt.h} writes it. The descriptor of a note with the owner {@code stapsdt} and type 3 is
 *
 * <pre>
 *   address  pc            of the instruction, a nop
 *   address  base          of .stapsdt.base when the file was linked
 *   address  semaphore     0 for none
 *   string   provider
 *   string   name
 *   string   arguments     such as -4@%edi 8@-16(%rbp)
 * </pre>
 *
 * with addresses of the file's class, and strings that end with a zero byte.
 *
 * @param pc where the probe is, as the file numbers addresses: moved by what {@code .stapsdt.base}
 *     was moved by since
 * @param semaphore the address of a 16-bit number that is not 0 while the probe is traced
 * @param arguments one word each: bytes, negative for signed numbers, {@code @}, operand
 */
public record StapProbe(
    String provider, String name, long pc, OptionalLong semaphore, String arguments) {
  private static final String OWNER = "stapsdt";
  private static final int TYPE = 3;

  /** More than any program has. */
  private static final int MOST = 1 << 18;

  private static final int LONGEST = 4096;

  /**
   * The probes of a file, in the order of the notes; none when it has no such notes.
   *
   * @throws BadDataException when a note is damaged
   */
  public static List<StapProbe> of(ElfFile file) {
    var section = file.sections().named(".note.stapsdt");
    var bytes = section.flatMap(file.sections()::raw);
    if (bytes.isEmpty()) {
      return List.of();
    }
    var base = file.sections().named(".stapsdt.base");
    var found = new ArrayList<StapProbe>();
    var notes =
        ElfNotes.read(
            bytes.get(), 0, bytes.get().size(), section.get().align(), file.header().order());
    for (var note : notes.notes()) {
      if (note.is(OWNER, TYPE)) {
        if (found.size() == MOST) {
          throw new BadDataException(
              file.source().name(), note.offset(), "more than " + MOST + " probes");
        }
        found.add(of(file, note, base));
      }
    }
    return List.copyOf(found);
  }

  private static StapProbe of(ElfFile file, ElfNote note, java.util.Optional<SectionHeader> base) {
    int word = file.header().is64() ? 8 : 4;
    var in = note.descriptor().cursor(0, file.header().order());
    if (note.descriptor().size() < 3L * word) {
      throw new BadDataException(
          file.source().name(),
          note.offset(),
          "a probe of " + note.descriptor().size() + " bytes, expected at least " + 3 * word);
    }
    long pc = word == 8 ? in.u64() : in.u32();
    long then = word == 8 ? in.u64() : in.u32();
    long semaphore = word == 8 ? in.u64() : in.u32();
    long moved = base.isPresent() && then != 0 ? base.get().addr() - then : 0;
    return new StapProbe(
        in.cString(LONGEST),
        in.cString(LONGEST),
        pc + moved,
        semaphore == 0 ? OptionalLong.empty() : OptionalLong.of(semaphore + moved),
        in.cString(LONGEST));
  }
}
