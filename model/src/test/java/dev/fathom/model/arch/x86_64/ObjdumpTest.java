// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.arch.FlowKind;
import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.Recipe;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares {@link X86FlowDecoder} with objdump over the whole text of a running kernel, as patched
 * at boot: lengths, kinds, branch targets and RIP-relative operands.
 */
@Tag("lab")
class ObjdumpTest {
  /** What objdump prints as an instruction of its own when no instruction takes it in. */
  private static final Set<String> PREFIXES =
      Set.of(
          "data16",
          "addr32",
          "lock",
          "repz",
          "repnz",
          "bnd",
          "notrack",
          "xacquire",
          "xrelease",
          "cs",
          "ds",
          "es",
          "fs",
          "gs",
          "ss");

  private static final long INSTRUCTIONS_AT_LEAST = 2_000_000;

  @TempDir Path folder;

  private final X86FlowDecoder decoder = new X86FlowDecoder();
  private final Map<String, Integer> differences = new TreeMap<>();
  private final ArrayList<String> examples = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(strings = {"6.1", "6.12"})
  void wholeKernel(String version) throws IOException, InterruptedException {
    var dump =
        Lab.open()
            .dump(
                Recipe.healthy(version)
                    .flavours(Flavour.ELF, Flavour.ELF_PAGING, Flavour.KDUMP_ZLIB));
    long start = dump.facts().symbol("_text").orElseThrow();
    long end = dump.facts().symbol("_etext").orElseThrow();
    byte[] text = new byte[(int) (end - start)];
    try (var core =
        new RandomAccessFile(dump.dump(Flavour.ELF_PAGING).orElseThrow().toFile(), "r")) {
      copy(core, start, text);
    }
    Path file = Files.write(folder.resolve("text"), text);
    var objdump =
        new ProcessBuilder(
                "objdump",
                "-D",
                "-b",
                "binary",
                "-m",
                "i386:x86-64",
                "--insn-width=15",
                "--adjust-vma=0x" + Long.toHexString(start),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long count = 0;
    try (var lines = objdump.inputReader()) {
      count = compare(lines, text, start);
    }
    assertThat(objdump.waitFor()).isZero();
    assertThat(differences).as("%s", examples).isEmpty();
    assertThat(count).isGreaterThan(INSTRUCTIONS_AT_LEAST);
  }

  /** Fills {@code into} from an ELF core's PT_LOAD segments that cover {@code address} on. */
  private static void copy(RandomAccessFile core, long address, byte[] into) throws IOException {
    var header = read(core, 0, 64);
    long at = header.getLong(32);
    int size = Short.toUnsignedInt(header.getShort(54));
    int count = Short.toUnsignedInt(header.getShort(56));
    long copied = 0;
    for (int i = 0; i < count; i++) {
      var program = read(core, at + (long) i * size, size);
      long from = Math.max(program.getLong(16), address);
      long to = Math.min(program.getLong(16) + program.getLong(32), address + into.length);
      if (program.getInt(0) == 1 && program.getLong(16) < 0 && from < to) {
        core.seek(program.getLong(8) + from - program.getLong(16));
        core.readFully(into, (int) (from - address), (int) (to - from));
        copied += to - from;
      }
    }
    assertThat(copied).as("bytes of kernel text in the dump").isEqualTo(into.length);
  }

  private static ByteBuffer read(RandomAccessFile file, long at, int size) throws IOException {
    var bytes = new byte[size];
    file.seek(at);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Lines are {@code address:TAB bytes TAB text}. */
  private long compare(BufferedReader lines, byte[] text, long start) throws IOException {
    long count = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      int first = line.indexOf('\t');
      int second = line.indexOf('\t', first + 1);
      if (second < 0) {
        continue;
      }
      long address = Long.parseUnsignedLong(line.substring(0, first - 1).strip(), 16);
      int length = (line.substring(first + 1, second).strip().length() + 1) / 3;
      String instruction = line.substring(second + 1).strip();
      if (instruction.contains("(bad)") || isLonePrefix(instruction)) {
        continue;
      }
      count++;
      int offset = (int) (address - start);
      String difference =
          decoder.scan(text, offset, text.length, address)
              ? difference(length, instruction)
              : "not decoded";
      if (!difference.isEmpty()) {
        differences.merge(difference, 1, Integer::sum);
        if (examples.size() < 20) {
          examples.add(difference + ": " + line);
        }
      }
    }
    return count;
  }

  private static boolean isLonePrefix(String instruction) {
    for (String word : instruction.split(" ")) {
      if (!PREFIXES.contains(word) && !word.startsWith("rex")) {
        return false;
      }
    }
    return true;
  }

  private String difference(int length, String instruction) {
    if (decoder.length() != length) {
      return "length";
    }
    var words = new ArrayList<String>();
    for (String word : instruction.replaceAll("#.*", "").split("[ ,]+")) {
      if (!PREFIXES.contains(word) && !word.startsWith("rex") && !word.matches("p[nt]|rep")) {
        words.add(word);
      }
    }
    String operand = words.size() > 1 ? words.get(1) : "";
    FlowKind kind = kind(words.getFirst(), operand);
    if (decoder.kind() != kind) {
      return "kind is not " + kind;
    }
    boolean direct = kind == FlowKind.CALL || kind == FlowKind.JUMP || kind == FlowKind.BRANCH;
    if (direct != decoder.hasTarget() || (direct && decoder.target() != hex(operand))) {
      return "target";
    }
    int comment = instruction.indexOf("# 0x");
    boolean segment = instruction.matches(".*%[fg]s:.*");
    if (comment >= 0 && !segment) {
      String memory = instruction.substring(comment + 2);
      return decoder.hasMemory() && decoder.memory() == hex(memory) ? "" : "memory";
    }
    return instruction.contains("(") && decoder.hasMemory() ? "memory that is not there" : "";
  }

  private static FlowKind kind(String mnemonic, String operand) {
    boolean indirect = operand.startsWith("*");
    if (mnemonic.matches("l?call[qw]?")) {
      return indirect ? FlowKind.INDIRECT_CALL : FlowKind.CALL;
    }
    if (mnemonic.matches("l?jmp[qw]?")) {
      return indirect ? FlowKind.INDIRECT_JUMP : FlowKind.JUMP;
    }
    if (mnemonic.matches("j[a-z]+|loop.*|xbegin")) {
      return FlowKind.BRANCH;
    }
    return switch (mnemonic) {
      case "ret", "lret", "retw", "lretq" -> FlowKind.RETURN;
      case "iretq",
          "iret",
          "iretw",
          "sysretq",
          "sysretl",
          "sysexitq",
          "sysexitl",
          "sysexit",
          "rsm" ->
          FlowKind.EXCEPTION_RETURN;
      case "syscall", "sysenter", "int", "vmcall", "vmmcall", "vmgexit" -> FlowKind.SYSTEM_CALL;
      case "int3", "int1", "icebp", "ud0", "ud1", "ud2" -> FlowKind.TRAP;
      default -> FlowKind.NEXT;
    };
  }

  private static long hex(String text) {
    return Long.parseUnsignedLong(text.replace("0x", "").replaceAll("[^0-9a-f].*", ""), 16);
  }
}
