// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.lab.GuestFacts;
import dev.fathom.testkit.lab.Json;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Commands as crash's users type them, answered by Fathom from a kdump alone and by Debian's crash
 * from the same kdump and the kernel's debug information: both are taken apart into data, which
 * must be equal. Left out is what crash 8.0.2 gets wrong about current 6.1 kernels: all that goes
 * over its list of tasks, and {@code vm}.
 */
@Tag("lab")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrashAgreementTest {
  private static final Path LAUNCHER = Path.of(System.getProperty("fathom.home"), "fathom");
  private static final int SYMBOLS = 40;

  private static final List<String> STRUCTURES =
      List.of(
          "list_head",
          "task_struct",
          "mm_struct",
          "vm_area_struct",
          "page",
          "module",
          "file",
          "dentry",
          "inode",
          "super_block",
          "rq",
          "sk_buff",
          "net_device",
          "thread_struct",
          "signal_struct");

  private static final List<String> MEMBERS =
      List.of(
          "pid",
          "tgid",
          "comm",
          "__state",
          "flags",
          "prio",
          "static_prio",
          "stack",
          "mm",
          "real_parent",
          "parent",
          "start_time",
          "cred",
          "signal",
          "on_cpu",
          "se.vruntime");

  private static final List<String> FUNCTIONS =
      List.of("list_sort", "schedule", "vfs_read", "do_exit", "entry_SYSCALL_64", "memcpy");

  private static final List<String> LISTS =
      List.of(
          "list -H modules",
          "list -r -H modules",
          "list modules",
          "list module.list -H modules -s module.name,state",
          "list task_struct.tasks -h init_task",
          "list task_struct.tasks -h init_task -s task_struct.pid,flags",
          "list task_struct.tasks -r -h init_task");

  @TempDir private static Path folder;

  private final long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
  private final Map<String, String> crash = new HashMap<>();
  private final Map<String, Map<?, ?>> fathom = new HashMap<>();
  private List<GuestFacts.Symbol> symbols = List.of();
  private String task = "";
  private LabDump dump;

  /** Asks both everything once. */
  @BeforeAll
  void ask() throws Exception {
    Lab lab = Lab.open();
    dump = lab.dump(LabRecipes.kdump("6.1"));
    Path file = dump.kdump("zlib-d31");
    symbols = some(dump.facts().symbols(), new Random(seed));
    open(file, List.of("set -p"));
    task = address((String) ((Map<?, ?>) result("set -p", 0).get("fields")).get("task"));

    List<String> commands = new ArrayList<>(List.of("set -p", "sys", "bt", "mod", "log"));
    for (GuestFacts.Symbol symbol : symbols) {
      commands.add("sym " + symbol.name());
      commands.add("sym " + Long.toHexString(symbol.address() + 1));
      commands.add("rd -x " + symbol.name() + " 6");
    }
    for (String structure : STRUCTURES) {
      commands.add("struct -o " + structure);
    }
    commands.addAll(List.of("sys -c", "sys -c read", "sys -c 1", "ps " + task));
    commands.add("struct task_struct." + String.join(",", MEMBERS) + " " + task);
    commands.add("struct -x task_struct." + String.join(",", MEMBERS) + " " + task);
    commands.add("struct task_struct.pid,comm init_task");
    for (String size : List.of("-8", "-16", "-32", "-64", "-d", "-D", "-32 -d", "-16 -D")) {
      commands.add("rd " + size + " linux_banner 9");
    }
    commands.addAll(List.of("rd -s init_task 40", "rd -a linux_banner 60"));
    for (String address : addresses()) {
      commands.add("vtop " + address);
    }
    for (String function : FUNCTIONS) {
      commands.add("dis " + function);
    }
    commands.addAll(LISTS);
    commands.addAll(listsOf(task));

    List<String> answers = lab.crash("6.1").ask(file, commands);
    for (int i = 0; i < commands.size(); i++) {
      crash.put(commands.get(i), answers.get(i));
    }
    open(file, commands);
  }

  private static List<String> listsOf(String task) {
    return List.of("list task_struct.real_parent " + task, "list -o task_struct.parent " + task);
  }

  /** One in each part of the kernel's address space. */
  private List<String> addresses() {
    List<String> addresses = new ArrayList<>(List.of(task));
    for (String name : List.of("linux_banner", "schedule", "init_task", "modules")) {
      addresses.add(Long.toHexString(dump.facts().symbol(name).orElseThrow()));
    }
    for (GuestFacts.Module module : dump.facts().modules().subList(0, 3)) {
      addresses.add(Long.toHexString(module.address()));
    }
    return addresses;
  }

  @Test
  void factsOfTheSystem() {
    assertThat(line(crash.get("set -p"), "TASK")).startsWith(task + " ");
    String said = crash.get("sys");
    Map<?, ?> fields = (Map<?, ?>) result("sys", 0).get("fields");

    assertThat(fields.get("release")).isEqualTo(line(said, "RELEASE"));
    assertThat(fields.get("version")).isEqualTo(line(said, "VERSION"));
    assertThat(fields.get("node")).isEqualTo(line(said, "NODENAME"));
    assertThat(fields.get("load_average")).isEqualTo(line(said, "LOAD AVERAGE"));
    assertThat(fields.get("cpus").toString()).isEqualTo(line(said, "CPUS"));
    assertThat(line(said, "MACHINE")).startsWith(fields.get("machine") + " ");
  }

  @Test
  void systemCalls() {
    for (String command : List.of("sys -c", "sys -c 1")) {
      List<String> theirs = crash.get(command).lines().skip(1).map(String::strip).toList();
      List<Map<?, ?>> ours = rows(command);
      assertThat(ours).as(command).hasSameSizeAs(theirs);
      int same = 0;
      for (int i = 0; i < ours.size(); i++) {
        String number = ours.get(i).get("number").toString();
        assertThat(theirs.get(i)).startsWith(number + " ");
        String call = ours.get(i).get("call").toString();
        same += theirs.get(i).split(" +")[1].equals(call.replaceAll("^.*symbol=|}$", "")) ? 1 : 0;
      }
      // Calls that are not configured share a function, which has many names.
      assertThat(same).as(command).isGreaterThan(ours.size() * 7 / 10);
    }
  }

  @Test
  void sizeOfTheProcess() {
    Map<?, ?> row = rows("ps " + task).getFirst();
    String[] words = match("(?m)^>? +\\d+ .*insmod", crash.get("ps " + task)).group().split(" +");
    assertThat(row.get("vsz").toString()).isEqualTo(words[words.length - 3]);
    // crash 8.0.2 does not find this kernel's threads, so it lacks what they have not added yet.
    assertThat(Long.parseLong(row.get("rss").toString()))
        .isGreaterThanOrEqualTo(Long.parseLong(words[words.length - 2]));
  }

  @Test
  void symbolsBothWays() {
    for (GuestFacts.Symbol symbol : symbols) {
      String name = "sym " + symbol.name();
      assertThat(address((String) rows(name).getFirst().get("address")))
          .as("%s, seed %d", name, seed)
          .isEqualTo(match("^([0-9a-f]+) \\(", crash.get(name)).group(1));

      String inside = "sym " + Long.toHexString(symbol.address() + 1);
      String said = (String) rows(inside).getFirst().get("symbol");
      MatchResult peer = match("\\(\\w\\) ([^\\s+]+)(?:\\+(0x[0-9a-f]+|\\d+))?", crash.get(inside));
      MatchResult own = match("([^\\s+]+)\\+(.*)", said);
      assertThat(own.group(1)).as("%s, seed %d", inside, seed).isEqualTo(peer.group(1));
      assertThat(Long.decode(own.group(2))).isEqualTo(1).isEqualTo(Long.decode(peer.group(2)));
    }
  }

  @Test
  void offsetsOfMembers() {
    for (String structure : STRUCTURES) {
      String command = "struct -o " + structure;
      Map<String, Long> ours = new LinkedHashMap<>();
      offsets((List<?>) ((Map<?, ?>) result(command, 0).get("root")).get("members"), ours);
      Map<String, Long> theirs = new LinkedHashMap<>();
      for (String line : crash.get(command).lines().toList()) {
        var declared = Pattern.compile("^\\s*\\[(\\d+)] (.*);$").matcher(line);
        if (declared.matches() && !declared.group(2).contains(" : ")) {
          declared(declared.group(2))
              .ifPresent(name -> theirs.put(name, Long.parseLong(declared.group(1))));
        }
      }
      assertThat(theirs).as(command).isNotEmpty();
      assertThat(ours).as(command).isEqualTo(theirs);
      assertThat(result(command, 1).get("value"))
          .isEqualTo(match("(SIZE: \\d+)", crash.get(command)).group(1));
    }
  }

  /** The members that are no bit-fields, those of anonymous structures among them. */
  private static void offsets(List<?> members, Map<String, Long> into) {
    for (Object one : members) {
      Map<?, ?> member = (Map<?, ?>) one;
      String declaration = (String) member.get("type");
      long offset = Long.decode((String) member.get("address"));
      if (member.get("members") instanceof List<?> inner) {
        if (member.get("name") instanceof String name) {
          into.put(name, offset);
        } else {
          offsets(inner, into);
        }
      } else if (!declaration.contains(" : ")) {
        declared(declaration).ifPresent(name -> into.put(name, offset));
      }
    }
  }

  /** The name in a C declaration. */
  private static Optional<String> declared(String declaration) {
    var name =
        Pattern.compile("\\(\\*+(\\w+)(?:\\[\\d*])*\\)|(\\w+)(?:\\[\\d*])*$").matcher(declaration);
    return name.find()
        ? Optional.of(name.group(1) == null ? name.group(2) : name.group(1))
        : Optional.empty();
  }

  @Test
  void valuesOfMembers() {
    for (String radix : List.of("struct ", "struct -x ")) {
      String command = radix + "task_struct." + String.join(",", MEMBERS) + " " + task;
      List<String> theirs = values(crash.get(command));
      assertThat(theirs).hasSameSizeAs(MEMBERS);
      assertThat(values(result(command))).as(command).isEqualTo(theirs);
    }
    String command = "struct task_struct.pid,comm init_task";
    assertThat(values(result(command))).isEqualTo(values(crash.get(command)));
  }

  /** What stands behind each {@code =}: strings without quotes, numbers as such. */
  private static List<String> values(String text) {
    return Pattern.compile(" = (?:\"([^\"\\\\]*)[^\\n]*|([^\\s,]+).*)")
        .matcher(text)
        .results()
        .map(r -> r.group(1) == null ? number(r.group(2)) : r.group(1))
        .toList();
  }

  private static List<String> values(List<?> trees) {
    List<String> values = new ArrayList<>();
    for (Object tree : trees) {
      if (((Map<?, ?>) tree).get("root") instanceof Map<?, ?> root) {
        values.add(number(root.get("value").toString()));
      }
    }
    return values;
  }

  /** A number in one spelling; other text as it is. */
  private static String number(String text) {
    return text.matches("-?(0x[0-9a-f]{1,16}|[0-9]{1,20})")
        ? text.startsWith("0x")
            ? Long.toString(Long.parseUnsignedLong(text.substring(2), 16))
            : Long.toString(new BigDecimal(text).longValue())
        : text;
  }

  @Test
  void numbersInMemory() {
    int read = 0;
    for (String command : crash.keySet()) {
      if (command.startsWith("rd ") && !command.startsWith("rd -a") && !command.contains("-s ")) {
        boolean decimal = command.matches(".*-[dD] .*");
        List<String> theirs = new ArrayList<>();
        for (String line : crash.get(command).lines().toList()) {
          if (line.contains(":  ")) {
            String numbers = line.substring(line.indexOf(":  ") + 3).strip();
            // Behind hexadecimal numbers stands the same as text.
            for (String word : (decimal ? numbers : numbers.split(" {2,}", 2)[0]).split(" +")) {
              theirs.add(decimal ? number(word) : number("0x" + word));
            }
          }
        }
        List<String> ours = new ArrayList<>();
        for (Object line : readable(command)) {
          for (Object item : (List<?>) ((Map<?, ?>) line).get("items")) {
            if (((Map<?, ?>) item).get("value") instanceof Object value) {
              ours.add(number(value.toString()));
            }
          }
        }
        assertThat(ours).as("%s, seed %d", command, seed).isEqualTo(theirs);
        read += ours.size();
      }
    }
    assertThat(read).isGreaterThan(100);
    List<?> text = (List<?>) result("rd -a linux_banner 60", 0).get("items");
    assertThat(crash.get("rd -a linux_banner 60"))
        .contains(":  " + ((Map<?, ?>) text.getFirst()).get("value"));
  }

  /** What could be read, where memory ends that the dump has: there crash must end as well. */
  private List<?> readable(String command) {
    Map<?, ?> document = fathom.get(command);
    if (document.get("error") instanceof String error) {
      assertThat(error).as(command).contains("page not in the dump");
      assertThat(crash.get(command)).as(command).contains("page excluded");
    }
    return (List<?>) document.get("results");
  }

  @Test
  void physicalAddresses() {
    for (String address : addresses()) {
      String command = "vtop " + address;
      assertThat(address((String) rows(command).getFirst().get("physical")))
          .as(command)
          .isEqualTo(match("(?m)^" + address + " +([0-9a-f]+)", crash.get(command)).group(1));
    }
  }

  /** crash's function ends where its symbol's size says, Fathom's where the next symbol begins. */
  @Test
  void instructions() {
    List<String> differences = new ArrayList<>();
    for (String function : FUNCTIONS) {
      String command = "dis " + function;
      List<String> theirs = new ArrayList<>();
      for (String line : crash.get(command).lines().toList()) {
        MatchResult m = match("^0x([0-9a-f]+) <[^>]+>:\\s+(.*)", line);
        theirs.add(m.group(1) + " " + instruction(m.group(2)));
      }
      List<String> ours = new ArrayList<>();
      for (Object one : result(command)) {
        Map<?, ?> line = (Map<?, ?>) one;
        ours.add(
            address((String) line.get("address")) + " " + instruction((String) line.get("text")));
      }
      int both = Math.min(ours.size(), theirs.size());
      assertThat(both).as(command).isGreaterThan(6);
      for (int i = 0; i < both; i++) {
        String[] own = ours.get(i).split(" ", 3);
        String[] peer = theirs.get(i).split(" ", 3);
        // AT&T's mnemonics may or may not have the size of the operands behind them.
        boolean same =
            own[1].matches(Pattern.quote(peer[1]) + "[bwlq]?")
                || peer[1].matches(Pattern.quote(own[1]) + "[bwlq]?");
        if (!same || !own[0].equals(peer[0]) || !own[2].equals(peer[2])) {
          differences.add(command + ": " + ours.get(i) + ", crash: " + theirs.get(i));
        }
      }
      assertThat(ours.subList(both, ours.size()))
          .as(command)
          .allMatch(text -> text.matches("[0-9a-f]+ (nop|int3).*"));
    }
    assertThat(differences).isEmpty();
  }

  /** An instruction in the spelling that objdump's and Capstone's have in common. */
  private static String instruction(String text) {
    String[] words =
        text.replaceAll("\\s*(# 0x.*|<.*>|\\[FTRACE NOP])\\s*$", "")
            .strip()
            .replaceAll("^((cs|ds|data16)\\s+)+", "")
            .replaceAll("^(rep|lock|notrack)\\s+", "$1-")
            .split("\\s+", 2);
    String operands =
        words.length < 2
            ? ""
            : Pattern.compile("(?<![\\w%])(0x[0-9a-f]{1,16}|[0-9]{1,10})(?!\\w)")
                .matcher(words[1].replace(" ", ""))
                .replaceAll(number -> number(number.group()))
                .replaceAll("(?<![\\w-])0\\(", "(")
                .replace(",1)", ")")
                .replaceAll("%[de]s:", "")
                .replaceAll(words[0].matches("(sh|sa|ro)[lr][bwlq]?") ? "^\\$1," : "^$", "");
    return words[0] + " " + operands;
  }

  @Test
  void modules() {
    Map<String, String> theirs = new HashMap<>();
    Map<String, Long> sizes = new HashMap<>();
    for (String line : crash.get("mod").lines().skip(1).toList()) {
      String[] words = line.strip().split(" +");
      theirs.put(words[1], words[0] + " " + words[2]);
      sizes.put(words[1], Long.parseLong(words[3]));
    }
    Map<String, String> ours = new HashMap<>();
    for (Map<?, ?> row : rows("mod")) {
      String name = (String) row.get("name");
      ours.put(name, address((String) row.get("module")) + " " + address((String) row.get("base")));
      // The module that is being initialised also has memory for that, which crash leaves out.
      if (!name.equals("fathom_fault")) {
        assertThat(row.get("size").toString()).as(name).isEqualTo(sizes.get(name).toString());
      }
    }
    assertThat(ours).hasSizeGreaterThan(10).isEqualTo(theirs);
  }

  @Test
  void log() {
    assertThat(
            result("log").stream()
                .flatMap(text -> ((String) ((Map<?, ?>) text).get("text")).lines())
                .map(String::strip)
                .toList())
        .isEqualTo(crash.get("log").lines().map(String::strip).toList());
  }

  @Test
  void lists() {
    List<String> commands = new ArrayList<>(LISTS);
    commands.addAll(listsOf(task));
    for (String command : commands) {
      List<String> theirs = new ArrayList<>();
      for (String line : crash.get(command).lines().toList()) {
        theirs.addAll(line.contains(" = ") ? values(line) : List.of(line));
      }
      List<String> ours = new ArrayList<>();
      for (Object one : result(command)) {
        Map<?, ?> item = (Map<?, ?>) one;
        if (item.get("kind").equals("value")) {
          String digits = address((String) item.get("value"));
          ours.add("0".repeat(16 - digits.length()) + digits);
        } else {
          ours.addAll(values(List.of(item)));
        }
      }
      assertThat(ours).as(command).hasSizeGreaterThan(1).isEqualTo(theirs);
    }
  }

  @Test
  void stackOfThePanic() {
    // crash follows no unwind rows, and shows stale return addresses between the true ones.
    List<String> ours = frames(result("bt", 0));
    assertThat(ours).hasSizeGreaterThan(6);
    assertThat(frames(crash.get("bt"))).containsSubsequence(ours).startsWith(ours.getFirst());
    Map<?, ?> registers = (Map<?, ?>) result("bt", 1).get("fields");
    String user = crash.get("bt").substring(crash.get("bt").lastIndexOf("    RIP: "));
    Map<String, String> said = new HashMap<>();
    Pattern.compile("([A-Z_0-9]+): ([0-9a-f]+)")
        .matcher(user)
        .results()
        .forEach(r -> said.put(r.group(1).toLowerCase(java.util.Locale.ROOT), r.group(2)));
    assertThat(said).hasSizeGreaterThan(18);
    said.forEach(
        (name, value) ->
            assertThat(number((String) registers.get(name)))
                .as(name)
                .isEqualTo(number("0x" + value)));
  }

  /** The frames from the fault on: address and place. */
  private static List<String> frames(String text) {
    String rest = text.substring(text.indexOf("[exception RIP: "));
    return Pattern.compile("#\\d+ \\[([0-9a-f]+)] \\S+ at ([0-9a-f]+)")
        .matcher(rest)
        .results()
        .map(r -> r.group(1) + " " + r.group(2))
        .toList();
  }

  private static List<String> frames(Map<?, ?> stack) {
    List<String> frames = new ArrayList<>();
    for (Object one : (List<?>) stack.get("frames")) {
      Map<?, ?> frame = (Map<?, ?>) one;
      frames.add(address((String) frame.get("frame")) + " " + address((String) frame.get("pc")));
    }
    return frames.subList(1, frames.size());
  }

  /** Runs the commands and keeps their JSON documents, all of which must have worked. */
  private void open(Path file, List<String> commands) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString(), "open", "--json"));
    for (String line : commands) {
      command.add("-e");
      command.add(line);
    }
    command.add(file.toString());
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    process.getOutputStream().close();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ends in time").isTrue();
    for (String line : Files.readAllLines(out, StandardCharsets.UTF_8)) {
      Map<?, ?> document = (Map<?, ?>) Json.read(line);
      fathom.put((String) document.get("command"), document);
    }
    assertThat(fathom.keySet()).containsAll(commands);
  }

  private List<?> result(String command) {
    Map<?, ?> document = fathom.get(command);
    assertThat(document.get("ok")).as("%s", document).isEqualTo(true);
    return (List<?>) document.get("results");
  }

  private Map<?, ?> result(String command, int index) {
    return (Map<?, ?>) result(command).get(index);
  }

  private List<Map<?, ?>> rows(String command) {
    List<Map<?, ?>> rows = new ArrayList<>();
    for (Object row : (List<?>) result(command, 0).get("rows")) {
      rows.add((Map<?, ?>) row);
    }
    return rows;
  }

  private static String address(String text) {
    return text.startsWith("0x") ? text.substring(2) : text.split(" ", 2)[0];
  }

  /** What stands behind {@code LABEL:} in crash's lists of facts. */
  private static String line(String text, String label) {
    return match("(?m)^ *" + label + ": (.*)$", text).group(1).strip();
  }

  private static MatchResult match(String pattern, String text) {
    var matcher = Pattern.compile(pattern).matcher(text);
    assertThat(matcher.find()).as("%s in crash's %s", pattern, text).isTrue();
    return matcher.toMatchResult();
  }

  /** Symbols of the kernel that have their name for themselves. */
  private static List<GuestFacts.Symbol> some(List<GuestFacts.Symbol> all, Random random) {
    Map<String, Integer> names = new HashMap<>();
    Map<Long, Integer> places = new HashMap<>();
    for (GuestFacts.Symbol symbol : all) {
      // crash takes function.part.0 for function.
      names.merge(symbol.name().replaceAll("\\..*", ""), 1, Integer::sum);
      places.merge(symbol.address(), 1, Integer::sum);
      places.merge(symbol.address() + 1, 1, Integer::sum);
    }
    List<GuestFacts.Symbol> candidates =
        new ArrayList<>(
            all.stream()
                .filter(symbol -> names.getOrDefault(symbol.name(), 0) == 1)
                .filter(symbol -> places.get(symbol.address()) == 1)
                .filter(symbol -> places.get(symbol.address() + 1) == 1)
                .filter(symbol -> symbol.module().isEmpty())
                .filter(symbol -> symbol.name().matches("[a-z_]{3}[A-Za-z0-9_]*"))
                .filter(symbol -> "tTdDbBrR".indexOf(symbol.type()) >= 0)
                .filter(symbol -> symbol.address() < 0)
                .toList());
    Collections.shuffle(candidates, random);
    return candidates.subList(0, SYMBOLS);
  }
}
