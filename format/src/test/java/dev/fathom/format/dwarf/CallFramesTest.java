// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.CfiWriter;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LittleEndian;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallFramesTest {
  private static final long AT = 0x40_0000;

  /** CFA = rsp + 8, return address at CFA - 8. */
  private static final byte[] START = bytes(0x0c, 7, 8, 0x90, 1);

  /** As gcc writes them for a function that pushes rbp: rows at +0, +1, +4, +0x20. */
  private static final byte[] PUSH_RBP =
      bytes(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0x1c, 0xc6, 0x0c, 7, 8);

  private static byte[] bytes(int... values) {
    var out = new LittleEndian();
    for (int value : values) {
      out.u8(value);
    }
    return out.toByteArray();
  }

  private static CallFrames eh(byte[] section) {
    return CallFrames.ofEhFrame(
        ByteSource.of(".eh_frame", section),
        ByteOrder.LITTLE_ENDIAN,
        8,
        AT,
        OptionalLong.empty(),
        OptionalLong.empty());
  }

  private static CallFrames debug(byte[] section) {
    return CallFrames.ofDebugFrame(
        ByteSource.of(".debug_frame", section), ByteOrder.LITTLE_ENDIAN, 8);
  }

  private static byte[] ehFrame() {
    var writer = CfiWriter.ehFrame(AT);
    int cie = writer.cie(1, "zR", bytes(0x1b), START);
    writer.fde(cie, 0x1000, 0x40, PUSH_RBP).fde(cie, 0x2000, 0x10, new byte[0]);
    int signal = writer.cie(1, "zRS", bytes(0x1b), START);
    return writer.fde(signal, 0x3000, 0x10, new byte[0]).toByteArray();
  }

  @Test
  void aFramePointerIsPushedAndPopped() {
    var frames = eh(ehFrame());
    assertThat(frames.rowAt(0xfff)).isEmpty();
    assertThat(frames.rowAt(0x1040)).isEmpty();
    var first = frames.rowAt(0x1000).orElseThrow();
    assertThat(first.cfa()).isEqualTo(new CfiRow.Cfa.RegisterOffset(7, 8));
    assertThat(first.rule(16)).isEqualTo(new CfiRule.Offset(-8));
    assertThat(first.rule(6)).isEqualTo(new CfiRule.Unspecified());
    assertThat(first.end()).isEqualTo(0x1001);
    assertThat(frames.rowAt(0x1001).orElseThrow().rule(6)).isEqualTo(new CfiRule.Offset(-16));
    assertThat(frames.rowAt(0x101f).orElseThrow().cfa())
        .isEqualTo(new CfiRow.Cfa.RegisterOffset(6, 16));
    var last = frames.rowAt(0x103f).orElseThrow();
    assertThat(last.rule(6)).isEqualTo(new CfiRule.Unspecified());
    assertThat(last.start()).isEqualTo(0x1020);
    assertThat(frames.rowAt(0x3000).orElseThrow().signalFrame()).isTrue();
    assertThat(first.signalFrame()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"1,false", "3,false", "4,false", "4,true"})
  void debugFrameOfEachVersion(int version, boolean wide) {
    var writer = CfiWriter.debugFrame(wide);
    int cie = writer.cie(version, "", new byte[0], START);
    var frames = debug(writer.fde(cie, 0xffff_ffff_8100_0000L, 0x40, PUSH_RBP).toByteArray());
    assertThat(frames.rowAt(0xffff_ffff_8100_0010L).orElseThrow().cfa())
        .isEqualTo(new CfiRow.Cfa.RegisterOffset(6, 16));
    assertThat(frames.problems()).isEmpty();
  }

  @Test
  void everyOtherInstruction() {
    var code =
        bytes(
            0x0a, // remember_state
            0x05, 3, 2, // offset_extended rbx
            0x11, 12, 0x7f, // offset_extended_sf r12, -1 * -8
            0x14, 13, 3, // val_offset
            0x15, 14, 0x7e, // val_offset_sf
            0x09, 15, 0, // register r15 in rax
            0x07, 1, // undefined
            0x08, 2, // same_value
            0x10, 4, 2, 0x30, 0x9f, // expression
            0x16, 5, 1, 0x31, // val_expression
            0x2e, 5, // GNU_args_size
            0x2f, 8, 2, // GNU_negative_offset_extended
            0x12, 6, 0x7e, // def_cfa_sf rbp, 16
            0x13, 0x7d, // def_cfa_offset_sf 24
            0x03, 0x10, 0, // advance_loc2
            0x0f, 1, 0x50, // def_cfa_expression
            0x06, 3, // restore_extended
            0x04, 0x10, 0, 0, 0, // advance_loc4
            0x0b, // restore_state
            0x01, 0x30, 0x50, 0, 0, 0, 0, 0, 0); // set_loc 0x5030
    var writer = CfiWriter.debugFrame(false);
    int cie = writer.cie(4, "", new byte[0], START);
    var frames = debug(writer.fde(cie, 0x5000, 0x40, code).toByteArray());
    var row = frames.rowAt(0x500f).orElseThrow();
    assertThat(row.cfa()).isEqualTo(new CfiRow.Cfa.RegisterOffset(6, 24));
    assertThat(row.rule(3)).isEqualTo(new CfiRule.Offset(-16));
    assertThat(row.rule(12)).isEqualTo(new CfiRule.Offset(8));
    assertThat(row.rule(13)).isEqualTo(new CfiRule.ValOffset(-24));
    assertThat(row.rule(14)).isEqualTo(new CfiRule.ValOffset(16));
    assertThat(row.rule(15)).isEqualTo(new CfiRule.InRegister(0));
    assertThat(row.rule(1)).isEqualTo(new CfiRule.Undefined());
    assertThat(row.rule(2)).isEqualTo(new CfiRule.SameValue());
    assertThat(row.rule(8)).isEqualTo(new CfiRule.Offset(16));
    assertThat(((CfiRule.AtExpression) row.rule(4)).expression().bytes())
        .isEqualTo(bytes(0x30, 0x9f));
    assertThat(((CfiRule.ValExpression) row.rule(5)).expression().bytes()).isEqualTo(bytes(0x31));
    assertThat(frames.rowAt(0x501f).orElseThrow().cfa()).isInstanceOf(CfiRow.Cfa.Computed.class);
    assertThat(frames.rowAt(0x501f).orElseThrow().rule(3)).isEqualTo(new CfiRule.Unspecified());
    var last = frames.rowAt(0x5020).orElseThrow();
    assertThat(last.rules()).containsOnlyKeys(16);
    assertThat(last.cfa()).isEqualTo(new CfiRow.Cfa.RegisterOffset(7, 8));
    assertThat(last.end()).isEqualTo(0x5030);
  }

  @Test
  void badEntriesSaySo() {
    var writer = CfiWriter.debugFrame(false);
    int cie = writer.cie(4, "", new byte[0], START);
    var frames = debug(writer.fde(cie, 0x5000, 0x40, bytes(0x3e)).toByteArray());
    assertThatThrownBy(() -> frames.rowAt(0x5000))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("unknown call frame instruction 0x3e");
    var unknown = CfiWriter.debugFrame(false);
    int odd = unknown.cie(4, "xy", new byte[0], START);
    var left = debug(unknown.fde(odd, 0x5000, 0x40, new byte[0]).toByteArray());
    assertThat(left.rowAt(0x5000)).isEmpty();
    assertThat(left.problems()).hasSize(1).first().asString().contains("augmentation 'xy'");
    var restored = CfiWriter.debugFrame(false);
    int third = restored.cie(4, "", new byte[0], START);
    var empty = debug(restored.fde(third, 0x5000, 0x40, bytes(0x0b)).toByteArray());
    assertThatThrownBy(() -> empty.rowAt(0x5000)).hasMessageContaining("not remembered");
  }

  @Test
  void damagedSectionsAreReadOrRefused() {
    Fuzz.run(ehFrame(), 3000, bytes -> use(eh(bytes)));
    var writer = CfiWriter.debugFrame(false);
    int cie = writer.cie(4, "", new byte[0], START);
    Fuzz.run(
        writer.fde(cie, 0x5000, 0x40, PUSH_RBP).toByteArray(), 3000, bytes -> use(debug(bytes)));
  }

  private static void use(CallFrames frames) {
    frames.forEach(
        fde -> {
          try {
            frames.rows(fde);
            frames.rowAt(fde.start());
          } catch (BadDataException e) {
            assertThat(e.what()).isNotEmpty();
          }
        });
  }

  private static final List<String> NAMES =
      List.of(
          "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15", "ra");

  /** Rows of programs of this machine, found by each way, are those that readelf prints. */
  @Test
  void agreesWithReadelf() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    int checked = 0;
    for (var file : Sections.programs(random)) {
      var sections = Sections.of(file);
      if (sections.isEmpty() || sections.get().section(".eh_frame").isEmpty()) {
        continue;
      }
      var eh = sections.get().section(".eh_frame").orElseThrow();
      if (eh.bytes().size() > 400_000) {
        continue;
      }
      var frames =
          CallFrames.ofEhFrame(
              eh.bytes(),
              ByteOrder.LITTLE_ENDIAN,
              8,
              eh.address(),
              OptionalLong.empty(),
              OptionalLong.empty());
      var hdr = sections.get().section(".eh_frame_hdr");
      hdr.ifPresent(h -> frames.with(h.bytes(), h.address()));
      var printed = Sections.run("readelf", "--debug-dump=frames-interp", file.toString());
      var expected = rows(printed);
      var found = new TreeMap<Long, String>(Long::compareUnsigned);
      frames.forEach(
          fde -> {
            for (var row : frames.rows(fde)) {
              found.put(row.start(), text(row));
            }
          });
      for (var row : expected.entrySet()) {
        assertThat(found.get(row.getKey()))
            .as("seed %d, %s at %x", seed, file, row.getKey())
            .isEqualTo(row.getValue());
        assertThat(text(frames.rowAt(row.getKey()).orElseThrow())).isEqualTo(row.getValue());
      }
      assertThat(frames.problems()).as("%s", file).isEmpty();
      checked += expected.size();
      if (checked > 20_000) {
        break;
      }
    }
    assertThat(checked).as("rows compared, seed %d", seed).isGreaterThan(1000);
  }

  /** The rows that readelf prints, as {@link #text} writes them; only of functions, not of CIEs. */
  private static Map<Long, String> rows(List<String> lines) {
    var rows = new HashMap<Long, String>();
    var columns = new ArrayList<String>();
    boolean function = false;
    long end = 0;
    for (var line : lines) {
      var words = line.trim().split("\\s+");
      if (line.contains(" CIE ") || line.contains(" FDE ")) {
        function = line.contains(" FDE ");
        // A procedure linkage table with one entry has rules for behind its end.
        end = function ? Long.parseUnsignedLong(line.substring(line.indexOf("..") + 2), 16) : 0;
      } else if (words[0].equals("LOC")) {
        columns.clear();
        columns.addAll(List.of(words));
      } else if (function && words.length == columns.size() && words[0].length() == 16) {
        var rules = new TreeMap<Integer, String>();
        for (int i = 2; i < words.length; i++) {
          int number = NAMES.indexOf(columns.get(i));
          if (number >= 0 && !words[i].equals("u")) {
            rules.put(number, words[i]);
          }
        }
        long start = Long.parseUnsignedLong(words[0], 16);
        if (Long.compareUnsigned(start, end) < 0) {
          rows.put(start, words[1] + " " + rules);
        }
      }
    }
    return rows;
  }

  private static String text(CfiRow row) {
    var rules = new TreeMap<Integer, String>();
    row.rules()
        .forEach(
            (number, rule) -> {
              var text =
                  switch (rule) {
                    case CfiRule.Unspecified _, CfiRule.Undefined _ -> "u";
                    case CfiRule.SameValue _ -> "s";
                    case CfiRule.Offset(long offset) -> "c" + signed(offset);
                    case CfiRule.ValOffset(long offset) -> "v" + signed(offset);
                    case CfiRule.InRegister(int other) -> NAMES.get(other);
                    case CfiRule.AtExpression _ -> "exp";
                    case CfiRule.ValExpression _ -> "vexp";
                  };
              if (!text.equals("u") && number < NAMES.size()) {
                rules.put(number, text);
              }
            });
    var cfa =
        switch (row.cfa()) {
          case CfiRow.Cfa.RegisterOffset(int register, long offset) ->
              NAMES.get(register) + signed(offset);
          case CfiRow.Cfa.Computed _ -> "exp";
          case CfiRow.Cfa.Unknown _ -> "?";
        };
    return cfa + " " + rules;
  }

  private static String signed(long offset) {
    return offset < 0 ? Long.toString(offset) : "+" + offset;
  }
}
