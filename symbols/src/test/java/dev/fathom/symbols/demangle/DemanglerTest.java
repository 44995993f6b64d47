// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.demangle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fathom.base.MappedFile;
import dev.fathom.format.elf.ElfFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DemanglerTest {
  private static final int SAMPLE = 20_000;

  @TempDir private Path temp;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "_Z1fv | f()",
        "_Z1fPFviE | f(void (*)(int))",
        "_Z1fRA3_Ki | f(int const (&) [3])",
        "_Z1fM1AKFvvE | f(void (A::*)() const)",
        "_ZN1A1BC2Ev | A::B::B()",
        "_ZN1A1BD0Ev | A::B::~B()",
        "_ZNK1AcvbEv | A::operator bool() const",
        "_ZN1AnwEm | A::operator new(unsigned long)",
        "_ZN12_GLOBAL__N_11fEv | (anonymous namespace)::f()",
        "_ZTVN1A1BE | vtable for A::B",
        "_ZThn16_N1A1fEv | non-virtual thunk to A::f()",
        "_ZGVZ1fvE1x | guard variable for f()::x",
        "_ZZ1fvENKUliE_clEi | f()::{lambda(int)#1}::operator()(int) const",
        "_Z1fILi3ELb1ELc65EEvv | void f<3, true, (char)65>()",
        "_Z1fIJidEEvDpT_ | void f<int, double>(int, double)",
        "_Z1fIJEEvDpT_ | void f<>()",
        "_Z1fIiEDTplfp_fp_ET_ | decltype ({parm#1}+{parm#1}) f<int>(int)",
        "_Z1fB5cxx11v | f[abi:cxx11]()",
        "_Z1fv.constprop.0.cold | f() [clone .constprop.0] [clone .cold]",
        "_ZlsIcERSoS0_T_ | "
            + "std::basic_ostream<char, std::char_traits<char> >& operator<< <char>"
            + "(std::basic_ostream<char, std::char_traits<char> >&, char)",
      })
  void demangles(String mangled, String expected) {
    assertThat(Demangler.demangle(mangled)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({"main", "_Z", "_Z1", "_Z9f", "_ZN1AE1", "_Z1fS9_", "_Z1fT_x_", "_ZTX1A", "''"})
  void leavesOthersAlone(String name) {
    assertThat(Demangler.demangle(name)).isEmpty();
    assertThat(Demangler.shortNames(name)).isEmpty();
  }

  /** Each level doubles the one before; the whole would not fit in memory. */
  @Test
  void doesNotPrintAnEndlessName() {
    var bomb = new StringBuilder("_Z1f1A");
    for (int i = 0; i < 40; i++) {
      var last =
          i == 0
              ? "S_"
              : "S" + Integer.toString(i - 1, 36).toUpperCase(java.util.Locale.ROOT) + "_";
      bomb.append("F").append(last).append(last).append("E");
    }
    assertThat(Demangler.demangle(bomb.toString())).isEmpty();
    assertThat(Demangler.demangle("_Z1f" + "P".repeat(10_000) + "i")).isEmpty();
  }

  /** {@code -Dfathom.fuzz.seed=SEED} chooses the same names again. */
  @Test
  void printsWhatCxxfiltPrints() throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/c++filt")), "c++filt is not installed");
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var names = new ArrayList<>(namesOfThisMachine());
    assumeTrue(names.size() > 1000, "no C++ library is installed");
    Collections.shuffle(names, new Random(seed));
    var sample = names.subList(0, Math.min(SAMPLE, names.size()));
    var in = Files.write(temp.resolve("names"), sample);
    var out = temp.resolve("out");
    var process =
        new ProcessBuilder("c++filt")
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor()).isZero();
    var expected = Files.readAllLines(out);
    var different = new ArrayList<String>();
    for (int i = 0; i < sample.size(); i++) {
      var name = sample.get(i);
      var got = Demangler.demangle(name).orElse(name);
      if (!got.equals(expected.get(i))) {
        different.add(name + "\n  expected " + expected.get(i) + "\n  but was  " + got);
      }
    }
    // A lambda's signature that refers to a parameter of its function is known to differ.
    assertThat(different).as("seed " + seed).hasSizeLessThanOrEqualTo(1 + sample.size() / 1000);

    var random = new Random(seed);
    for (int i = 0; i < 5000; i++) {
      var damaged = new StringBuilder(sample.get(random.nextInt(sample.size())));
      for (int n = random.nextInt(4); n >= 0; n--) {
        var other = sample.get(random.nextInt(sample.size()));
        damaged.setCharAt(
            2 + random.nextInt(damaged.length() - 2), other.charAt(random.nextInt(other.length())));
      }
      assertThat(Demangler.demangle(damaged.toString()).orElse("x")).isNotEmpty();
      assertThat(Demangler.shortNames(damaged.toString())).doesNotContain("");
    }
  }

  private static TreeSet<String> namesOfThisMachine() throws IOException {
    var names = new TreeSet<String>();
    for (var folder :
        List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")) {
      if (!Files.isDirectory(Path.of(folder))) {
        continue;
      }
      try (Stream<Path> list = Files.list(Path.of(folder))) {
        for (var path : list.sorted().toList()) {
          var file = path.getFileName().toString();
          if (file.matches("lib(stdc\\+\\+|LLVM|boost_|icu|gmpxx|snappy).*\\.so[.0-9]*")
              && Files.isRegularFile(path)) {
            addNames(path, names);
          }
        }
      }
    }
    return names;
  }

  private static void addNames(Path path, TreeSet<String> names) {
    byte[] mangled = "_Z".getBytes(StandardCharsets.US_ASCII);
    try (var file = MappedFile.open(path)) {
      if (!ElfFile.matches(file)) {
        return; // a linker script
      }
      ElfFile.read(file)
          .dynsym()
          .ifPresent(
              table -> {
                for (int i = 0; i < table.count(); i++) {
                  if (table.nameStartsWith(i, mangled)) {
                    names.add(table.name(i));
                  }
                }
              });
    }
  }
}
