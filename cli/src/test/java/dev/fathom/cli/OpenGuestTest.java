// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.GuestFacts;
import dev.fathom.testkit.lab.Json;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@code fathom open --json} over dumps of real guests, as users start it, against what the guests
 * said about themselves. The distribution has to be there ({@code ./dev build}).
 */
@Tag("lab")
class OpenGuestTest {
  private static final Lab LAB = Lab.open();
  private static final Path LAUNCHER = Path.of(System.getProperty("fathom.home"), "fathom");
  private static final int SYMBOLS = 30;

  @TempDir private static Path folder;

  /** One way to open one guest's dump. */
  private record Case(String name, LabDump dump, List<Path> files) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Recipe recipe : LabRecipes.byQemu()) {
      LabDump dump = LAB.dump(recipe);
      for (Flavour flavour : recipe.flavours()) {
        dump.dump(flavour)
            .ifPresent(
                file ->
                    cases.add(
                        new Case(
                            recipe.kernel() + " " + recipe.name() + " " + flavour,
                            dump,
                            List.of(file))));
      }
    }
    LabDump kdump = LAB.dump(LabRecipes.kdump("6.1"));
    for (String name : List.of("zlib-d31", "lzo-d31", "flat-lzo-d31", "elf-d31", "vmcore")) {
      cases.add(new Case("6.1 kdump " + name, kdump, List.of(kdump.kdump(name))));
    }
    List<Path> parts = Stream.of("split.2", "split.0", "split.1").map(kdump::kdump).toList();
    cases.add(new Case("6.1 kdump split", kdump, parts));
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void answersAsTheGuestDid(Case one) throws Exception {
    GuestFacts facts = one.dump().facts();
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    List<GuestFacts.Symbol> symbols = some(facts.symbols(), new Random(seed));
    List<String> lines = new ArrayList<>(List.of("::ps", "ps", "::modinfo", "::msgbuf -v"));
    lines.add("_text::vtop");
    for (GuestFacts.Symbol symbol : symbols) {
      lines.add(symbol.module().map(module -> module + "`").orElse("") + symbol.name() + "=J");
    }

    List<Map<?, ?>> results = open(one.files(), lines);

    Map<Long, String> said = new HashMap<>();
    Set<Long> leaders = new TreeSet<>();
    for (GuestFacts.Task task : facts.tasks()) {
      if (!task.name().startsWith("kworker/")) {
        said.put((long) task.tid(), task.name());
        if (task.leader()) {
          leaders.add((long) task.tid());
        }
      }
    }
    Set<Long> processes = pids(rows(results.get(0)));
    Set<Long> threads = pids(rows(results.get(1)));
    assertThat(processes).as("::ps").containsAll(leaders);
    assertThat(threads).as("ps").containsAll(said.keySet()).containsAll(processes);
    Set<Long> more = new TreeSet<>(processes);
    more.removeAll(leaders);
    assertThat(rows(results.get(0)))
        .filteredOn(row -> more.contains(number(row.get("pid"))))
        .extracting(row -> String.valueOf(row.get("name")))
        .as("processes that the guest did not tell")
        .allMatch(name -> name.matches("swapper/.*|kworker/.*|insmod"));

    Map<String, String> modules = new HashMap<>();
    rows(results.get(2))
        .forEach(row -> modules.put((String) row.get("name"), (String) row.get("load_addr")));
    for (GuestFacts.Module module : facts.modules()) {
      assertThat(modules).containsEntry(module.name(), hex(module.address()));
    }

    List<String> log =
        rows(results.get(3)).stream()
            .flatMap(
                row ->
                    ((String) row.get("message"))
                        .lines()
                        .map(line -> "[%12s] %s".formatted(row.get("seconds"), line)))
            .toList();
    assertThat(log.subList(0, facts.log().size())).as("log").isEqualTo(facts.log());

    long code =
        facts.memory().stream()
            .filter(range -> range.name().equals("Kernel code"))
            .findFirst()
            .orElseThrow()
            .start();
    assertThat(first(results.get(4)).get("physical")).as("_text").isEqualTo(hex(code));

    for (int i = 0; i < symbols.size(); i++) {
      Map<?, ?> result = first(results.get(5 + i));
      Map<?, ?> item = (Map<?, ?>) ((List<?>) result.get("items")).getFirst();
      assertThat(item.get("value"))
          .as("%s, seed %d", symbols.get(i), seed)
          .isEqualTo(hex(symbols.get(i).address()));
    }
  }

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void showsTheStacksOfThousandsOfThreads(String kernel) throws Exception {
    LabDump dump = LAB.dump(LabRecipes.manyTasks(kernel));

    List<Map<?, ?>> results =
        open(List.of(dump.dump()), List.of("::walk thread | ::findstack -v", "ps"));

    List<?> stacks = (List<?>) results.getFirst().get("results");
    assertThat(stacks).hasSizeGreaterThan(4900);
    Set<Long> threads = pids(rows(results.get(1)));
    Set<Long> settled =
        dump.facts().tasks().stream()
            .filter(task -> task.name().matches("sleep|lab-thread"))
            .map(task -> (long) task.tid())
            .collect(Collectors.toSet());
    assertThat(settled).hasSizeGreaterThan(4900);
    assertThat(threads).containsAll(settled);
    long complete =
        stacks.stream()
            .map(stack -> (List<?>) ((Map<?, ?>) stack).get("frames"))
            .filter(
                frames ->
                    frames.stream()
                        .map(frame -> String.valueOf(((Map<?, ?>) frame).get("symbol")))
                        .anyMatch(symbol -> symbol.startsWith("entry_SYSCALL_64_after_hwframe")))
            .count();
    assertThat(complete)
        .as("stacks down to the system call")
        .isGreaterThanOrEqualTo(settled.size());
  }

  /** The policy of docs/decisions/0006: what is not complete is not a success. */
  @Test
  void aListThatTheDumpHoldsInPartFails() throws Exception {
    Path whole = LAB.dump(LabRecipes.healthy("6.1")).dump();
    Set<Long> all = pids(rows(open(List.of(whole), List.of("::ps")).getFirst()));
    Path cut = Files.copy(whole, folder.resolve("cut.elf"));
    long size = Files.size(cut);
    int inPart = 0;
    for (int tenths = 9; tenths > 0; tenths--) {
      try (FileChannel file = FileChannel.open(cut, StandardOpenOption.WRITE)) {
        file.truncate(size / 10 * tenths);
      }
      Process process = start(List.of(cut), List.of("::ps", "1=K"));
      List<Map<?, ?>> answers = documents();
      if (answers.isEmpty()) {
        // No kernel can be found in what is left.
        assertThat(process.exitValue()).isEqualTo(1);
        continue;
      }
      Map<?, ?> list = answers.getFirst();
      boolean complete = process.exitValue() == 0;
      assertThat(list.get("ok")).isEqualTo(complete);
      assertThat(answers.get(1).get("ok")).as("the other line worked").isEqualTo(true);
      if (complete) {
        assertThat(pids(rows(list))).as("%s tenths", tenths).isEqualTo(all);
      } else {
        assertThat((String) list.get("error")).as("%s tenths", tenths).contains("read error");
        inPart += pids(rows(list)).isEmpty() ? 0 : 1;
      }
    }
    assertThat(inPart).as("listings that are not complete").isPositive();
  }

  /** The JSON documents of the command lines, all of which must have worked. */
  private static List<Map<?, ?>> open(List<Path> files, List<String> lines)
      throws IOException, InterruptedException {
    Process process = start(files, lines);
    assertThat(process.exitValue()).as(Files.readString(folder.resolve("err"))).isZero();
    List<Map<?, ?>> documents = documents();
    assertThat(documents)
        .allSatisfy(document -> assertThat(document.get("ok")).isEqualTo(true))
        .extracting(document -> (String) document.get("command"))
        .isEqualTo(lines);
    return documents;
  }

  /** The ended process; what it wrote is in the folder. */
  private static Process start(List<Path> files, List<String> lines)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString(), "open", "--json"));
    for (String line : lines) {
      command.add("-e");
      command.add(line);
    }
    files.forEach(file -> command.add(file.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile());
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    Process process = builder.start();
    process.getOutputStream().close();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ends in time").isTrue();
    return process;
  }

  private static List<Map<?, ?>> documents() throws IOException {
    List<Map<?, ?>> documents = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("out"), StandardCharsets.UTF_8)) {
      documents.add((Map<?, ?>) Json.read(line));
    }
    return documents;
  }

  private static Map<?, ?> first(Map<?, ?> document) {
    return (Map<?, ?>) ((List<?>) document.get("results")).getFirst();
  }

  private static List<Map<?, ?>> rows(Map<?, ?> document) {
    List<Map<?, ?>> rows = new ArrayList<>();
    for (Object row : (List<?>) first(document).get("rows")) {
      rows.add((Map<?, ?>) row);
    }
    return rows;
  }

  /** Of those processes whose id could be read. */
  private static Set<Long> pids(List<Map<?, ?>> rows) {
    return rows.stream()
        .filter(row -> row.get("pid") != null)
        .map(row -> number(row.get("pid")))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static long number(Object value) {
    return ((BigDecimal) value).longValueExact();
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  /** Symbols that have their name for themselves and that the language can name. */
  private static List<GuestFacts.Symbol> some(List<GuestFacts.Symbol> all, Random random) {
    Map<String, Integer> uses = new HashMap<>();
    all.forEach(symbol -> uses.merge(symbol.name(), 1, Integer::sum));
    Set<String> taken = new HashSet<>(List.of("bpf"));
    List<GuestFacts.Symbol> candidates =
        new ArrayList<>(
            all.stream()
                .filter(symbol -> uses.get(symbol.name()) == 1)
                .filter(symbol -> symbol.name().matches("[a-z_]{3}[A-Za-z0-9_]*"))
                .filter(symbol -> symbol.module().stream().noneMatch(taken::contains))
                .filter(symbol -> "tTdDbBrR".indexOf(symbol.type()) >= 0)
                .filter(symbol -> symbol.address() < 0)
                .toList());
    Collections.shuffle(candidates, random);
    return candidates.subList(0, SYMBOLS);
  }
}
