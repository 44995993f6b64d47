// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Datum;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program of C++ beside gdb and the presenters that libstdc++ brings for it. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class CxxTest {
  /** What gdb and we print in the same words. */
  static final List<String> SAME =
      List.of(
          "v",
          "spare",
          "none",
          "vs",
          "vb",
          "vv",
          "vp",
          "str",
          "nothing",
          "longer",
          "ws",
          "u16",
          "u32",
          "view",
          "li",
          "no_list",
          "fl",
          "no_deque",
          "ar",
          "m",
          "mv",
          "no_map",
          "mm",
          "se",
          "ms",
          "um",
          "umm",
          "us",
          "ums",
          "pr",
          "tu",
          "no_tuple",
          "op",
          "no_op",
          "ops",
          "up",
          "no_up",
          "ua",
          "sp",
          "no_sp",
          "wp",
          "expired",
          "at",
          "ab",
          "ap",
          "atp",
          "va",
          "vd",
          "st",
          "qu",
          "pq",
          "bs",
          "bl",
          "vit",
          "lit",
          "mit",
          "pt",
          "circle",
          "shape",
          "*shape",
          "rshape",
          "rshape.id",
          "circle.geo::Shape::id",
          "shape->geo::Shape::id",
          "dd.geo::L::l",
          "dd.geo::VBase::v",
          "lp->geo::VBase::v",
          "dd",
          "lp",
          "*lp",
          "ref",
          "rref",
          "cref",
          "vref",
          "ref + 1",
          "-ref",
          "ref * cref",
          "&ref",
          "*&ref",
          "(&ref == &target) + 1",
          "sizeof(ref)",
          "holder.one",
          "holder.two.y",
          "plain",
          "buf.next",
          "nil",
          "circle.id",
          "circle.name",
          "circle.hidden",
          "circle.limit",
          "dd.v",
          "dd.l",
          "dd.rr",
          "lp->v",
          "pt.made",
          "pt.colour",
          "geo::Point::made",
          "geo::Odd::ratio",
          "odd.half",
          "geo::Circle::limit",
          "geo::Colour::green",
          "geo::beta",
          "geo::inner",
          "(::geo::inner)",
          "(geo::Colour)5",
          "(geo::Colour)6",
          "geo::Colour::blue + 1",
          "pt.colour == geo::Colour::green ? 7 : 8",
          "&pt",
          "&circle",
          "*&circle",
          "&circle.r",
          "(geo::Shape *)&circle",
          "*(geo::Shape *)&circle",
          "*(geo::Circle *)shape",
          "((geo::Circle *)shape)->r",
          "static_cast<geo::Circle *>(shape)->hidden",
          "(geo::R *)&dd",
          "((geo::R *)&dd)->rr",
          "(geo::D *)(geo::R *)&dd",
          "(geo::VBase *)&dd",
          "(geo::Named *)0",
          "(geo::Whole *)root",
          "*(geo::Whole *)root",
          "(geo::Whole &)*root",
          "((geo::Whole &)rroot).whole",
          "static_cast<geo::Whole *>(root)",
          "(geo::Whole *)left",
          "(geo::Root &)whole",
          "(int &)target",
          "dynamic_cast<geo::Right *>(root)",
          "dynamic_cast<geo::Right *>(left)",
          "dynamic_cast<geo::Whole *>(&only_root)",
          "v[1]",
          "vb[2]",
          "vp[1].y",
          "ar[2]",
          "*up",
          "*sp",
          "sp->y",
          "ua[1]",
          "&v",
          "sizeof(geo::Circle)",
          "sizeof(std::vector<int, std::allocator<int> >)",
          "(std::vector<int, std::allocator<int> > *)&v",
          "Buf<char, 8>::count",
          "sizeof(Buf<char, 8>)",
          "work::calls",
          "true",
          "false",
          "true + 1");

  /** Expressions whose types have one name. */
  private static final List<String> TYPES =
      List.of(
          "pt",
          "&pt",
          "circle",
          "shape",
          "rshape",
          "ref",
          "rref",
          "cref",
          "ref + 1",
          "holder.two",
          "pt.colour",
          "plain",
          "buf",
          "str",
          "lp->v",
          "geo::Point::made");

  static final List<String> DEFINITIONS =
      List.of(
          "geo::Circle",
          "geo::Shape",
          "geo::D",
          "geo::L",
          "geo::Point",
          "geo::Colour",
          "geo::Plain",
          "geo::VBase",
          "geo::Holder",
          "pt",
          "rref",
          "member",
          "/o geo::Odd",
          "/o geo::Circle",
          "/o geo::Whole",
          "Empty");

  @TempDir static Path directory;
  private static CompiledCxx program;

  @BeforeAll
  static void compile() {
    var commands = new ArrayList<String>();
    SAME.forEach(e -> commands.add("output " + e));
    TYPES.forEach(e -> commands.add("whatis " + e));
    DEFINITIONS.forEach(e -> commands.add("ptype " + e));
    program = CompiledCxx.compile(directory, "containers", List.of("-std=c++17"), commands);
  }

  @AfterAll
  static void close() {
    program.close();
  }

  private static List<String> said(int from, int count) {
    return program.answers().subList(from, from + count);
  }

  /** gdb writes offsets from symbols in decimal. */
  static String normal(String text) {
    return Pattern.compile("\\+(\\d+)>")
        .matcher(text)
        .replaceAll(
            found -> {
              long offset = Long.parseLong(found.group(1));
              return "+" + (offset > 9 ? "0x" : "") + Long.toHexString(offset) + ">";
            });
  }

  @Test
  void valuesAreThoseOfGdb() {
    var theirs = said(0, SAME.size());
    var ours = program.output(SAME);
    for (int i = 0; i < SAME.size(); i++) {
      assertThat(theirs.get(i)).as(SAME.get(i)).doesNotStartWith("error:");
      assertThat(ours.get(i)).as(SAME.get(i)).isEqualTo(normal(theirs.get(i)));
    }
  }

  @Test
  void typesAreThoseOfGdb() {
    var theirs = said(SAME.size(), TYPES.size());
    for (int i = 0; i < TYPES.size(); i++) {
      var ours = program.run("ptype " + TYPES.get(i)).lines().findFirst().orElseThrow();
      var type = theirs.get(i).replaceFirst("^type = ", "");
      // A type's definition begins with its name; typedefs are looked through.
      if (!type.equals("std::string")) {
        assertThat(ours).as(TYPES.get(i)).contains(type.replaceAll("[ &*]+$", ""));
      }
    }
  }

  @Test
  void definitionsAreThoseOfGdb() {
    var theirs = said(SAME.size() + TYPES.size(), DEFINITIONS.size());
    for (int i = 0; i < DEFINITIONS.size(); i++) {
      // gdb does not say that a destructor is virtual.
      var ours = program.run("ptype " + DEFINITIONS.get(i)).replace("virtual ~", "~");
      assertThat(ours).as(DEFINITIONS.get(i)).isEqualTo(theirs.get(i).replace("\\n", "\n"));
    }
  }

  @Test
  void longContainersAreCut() {
    assertThat(program.run("p dq"))
        .startsWith("$1 = std::deque with 290 elements = {10, 11, 12, ")
        .endsWith(", 208, 209...}");
    assertThat(program.run("p -elements 2 -- m", "p -elements 1 -- m"))
        .contains("$1 = std::map with 2 elements = {[1] = \"on\"..., [2] = \"tw\"...}")
        .contains("$2 = std::map with 2 elements = {[1] = \"o\"..., ...}");
    assertThat(program.run("p -elements 4 -- longer")).isEqualTo("$1 = \"abcd\"...");
  }

  @Test
  void rawValuesAreWhatIsStored() {
    assertThat(program.run("p/r v")).contains("_M_finish = 0x").doesNotContain("of length");
    assertThat(program.run("p/r str")).contains("_M_string_length = 5");
    assertThat(program.run("p/x v"))
        .isEqualTo("$1 = std::vector of length 3, capacity 3 = {0x1, 0x2, 0x3}");
  }

  @Test
  void referencesAreWhatTheyReferTo() {
    assertThat(program.run("printf \"%d %s\\n\", ref, longer._M_dataplus._M_p"))
        .isEqualTo("5 abcdefghijklmnopqrstuvwxyz0123456789");
    assertThat(program.run("p/x ref", "x/dw &ref", "p $")).startsWith("$1 = 0x5\n").endsWith("5");
    assertThat(program.run("whatis ref")).isEqualTo("int &ref;");
  }

  @Test
  void namesMayBeShort() {
    assertThat(program.run("p *(std::vector<int> *)&v")).contains("= {1, 2, 3}");
    assertThat(program.run("p sizeof(std::map<int, std::string>)")).isEqualTo("$1 = 48");
    assertThat(program.run("p sizeof(std::vector<std::vector<int>>)")).isEqualTo("$1 = 24");
    assertThat(program.run("p geo::anon", "p geo::(anonymous namespace)::anon"))
        .isEqualTo("$1 = 99\n$2 = 99");
    // A template's sign is an operator where it makes no type.
    assertThat(program.run("p target<3", "p target<9>0", "p (pt.x>pt.y)"))
        .isEqualTo("$1 = 0\n$2 = 1\n$3 = 0");
  }

  @Test
  void framesShowTheirVariables() {
    assertThat(program.run("bt"))
        .contains("in geo::Circle::area (this=0x")
        .contains(
            "in work (arg=std::vector of length 3, capacity 3 = {...}, name=\"hello\","
                + " copy=std::map with 2 elements = {...}, number=@0x")
        .contains(": 5) at ");
    assertThat(program.run("bt full"))
        .contains("calls = 42")
        .contains("local = 27")
        .contains("own = std::unique_ptr<int> = {get() = 0x");
    // In a method its object's members, and what is in the namespace around it.
    assertThat(program.run("frame 1", "p r", "p id", "p hidden + local", "p inner", "p calls"))
        .contains("$1 = 9\n$2 = 3\n$3 = 31\n$4 = 17\n$5 = 42");
    assertThat(program.run("frame 2", "p calls", "p number", "p arg[0]", "p copy"))
        .contains("$1 = 4\n$2 = (int &) @0x");
  }

  /** Optimised, in DWARF 4, with the strings of gcc 4. */
  @Test
  void stringsOfTheOlderAbi() {
    var expressions = List.of("str", "nothing", "li", "m", "work::calls");
    try (var older =
        CompiledCxx.compile(
            directory,
            "strings",
            List.of("-D_GLIBCXX_USE_CXX11_ABI=0", "-O2", "-gdwarf-4"),
            expressions.stream().map(e -> "output " + e).toList())) {
      assertThat(older.output(expressions))
          .containsExactly(
              "\"older\"",
              "\"\"",
              "std::list = {[0] = \"x\", [1] = \"yz\"}",
              "std::map with 1 element = {[\"k\"] = 2}",
              "4")
          .isEqualTo(older.answers());
    }
  }

  /** What the program's file has is where the files with the rest are. */
  @ParameterizedTest
  @ValueSource(strings = {"-gdwarf-4", "-gdwarf-5"})
  void debugInformationMayBeSplitOff(String version) {
    var expressions = List.of("str", "m", "work::calls", "&li");
    try (var split =
        CompiledCxx.compile(
            directory,
            "strings",
            List.of("-gsplit-dwarf", version),
            expressions.stream().map(e -> "output " + e).toList())) {
      assertThat(split.output(expressions))
          .isEqualTo(split.answers())
          .contains("std::map with 1 element = {[\"k\"] = 2}");
    }
  }

  @Test
  void jsonHasTheParts() {
    assertThat(program.json("output m"))
        .contains("\"summary\":\"std::map with 2 elements\"")
        .contains(
            "\"entries\":[{\"key\":{\"value\":1},\"value\":{\"value\":\"one\",\"cut\":false}}");
    assertThat(program.json("output v")).contains("\"elements\":[{\"value\":1}");
    assertThat(program.json("output up")).contains("\"members\":[{\"name\":\"get()\"");
    assertThat(program.json("output ref"))
        .contains("\"reference\":\"int &\"")
        .contains("\"value\":5");
  }

  @Test
  void damageIsTold() {
    assertThat(program.run("p bad_vector")).contains("$1 = <std::vector: at offset 0x");
    assertThat(program.run("p wild_vector"))
        .contains("of length 268435456, capacity 268435456 = {<")
        .contains("...}");
    assertThat(program.run("p bad_list"))
        .contains("= {[0] = 1, [1] = 2, <this node comes a second time: the chain is a cycle>}");
    assertThat(program.run("p wild_list")).contains("cannot read").contains("0x1230");
    assertThat(program.run("p bad_map")).contains("this node comes a second time: it is no tree");
    assertThat(program.run("p short_map"))
        .contains("[3] = 3, <has 3 of the 1000 elements that it counts>}");
    assertThat(program.run("p bad_hash"))
        .contains("with 9223372036854775807 elements")
        .contains("the chain is a cycle>");
    assertThat(program.run("p bad_string")).contains("18446744073709551615 characters at 0x");
    assertThat(program.run("p bad_deque")).contains("cannot read");
    assertThat(program.run("p bad_variant")).contains("index 3 of 2 alternatives");
    assertThat(program.run("p bad_shared")).contains("cannot read").contains("0x28");
    for (var name : List.of("bad_list", "bad_map", "bad_hash", "bad_string", "wild_vector")) {
      assertThat(program.run("p " + name).lines()).as(name).hasSizeLessThan(4);
    }
  }

  @Test
  void presentersThatUsersAddComeFirst() {
    var own =
        new Presenter() {
          @Override
          public List<String> classes() {
            return List.of("std::vector", "app::Thing");
          }

          @Override
          public Optional<Presentation> present(Value.Ref object, CompositeType type) {
            return Optional.of(new Presentation.Words("mine"));
          }
        };
    var none =
        new Presenter() {
          @Override
          public List<String> classes() {
            return List.of("std::vector");
          }

          @Override
          public Optional<Presentation> present(Value.Ref object, CompositeType type) {
            return Optional.of(
                Presentation.list("never", new ArrayList<Presentation.Part>().iterator()));
          }
        };
    var presenters = new Presenters(List.of(own, none));
    var type =
        new CompositeType(CompositeType.Kind.CLASS, "std::__cxx11::vector<int>", 8, List::of);
    assertThat(presenters.of(null, type)).contains(new Presentation.Words("mine"));
    var other = new CompositeType(CompositeType.Kind.CLASS, "app::Other", 8, List::of);
    assertThat(presenters.of(null, other)).isEmpty();
    assertThat(Datum.Form.values()).hasSize(4);
  }

  /** Words of the core file changed at random: nothing hangs, and every fault is told as one. */
  @Test
  void damageAtRandomIsNoInternalError() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var names = new ArrayList<>(SAME.subList(0, SAME.indexOf("pt")));
    names.removeIf(name -> name.indexOf('*') >= 0);
    long start = Long.decode(program.run("output &v").replaceAll(".*(0x[0-9a-f]+).*", "$1"));
    var whole = Files.readAllBytes(program.core());
    long at = offset(whole, start);
    try (var file = new RandomAccessFile(program.core().toFile(), "rw")) {
      for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 40; i++) {
          file.seek(at + 8L * random.nextInt(500));
          file.writeLong(
              switch (random.nextInt(4)) {
                case 0 -> random.nextLong();
                case 1 -> Long.reverseBytes(start + 8L * random.nextInt(600));
                case 2 -> Long.reverseBytes(random.nextInt(100));
                default -> 0;
              });
        }
        program.reopen();
        for (var text : program.output(names)) {
          assertThat(text).as("seed %d, round %d", seed, round).doesNotContain("internal error");
        }
      }
      file.seek(0);
      file.write(whole);
    }
    program.reopen();
    assertThat(program.run("p v")).contains("{1, 2, 3}");
  }

  /** Where in a core file of x86-64 an address is, by its program headers. */
  private static long offset(byte[] core, long address) {
    var bytes = java.nio.ByteBuffer.wrap(core).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    int headers = (int) bytes.getLong(0x20);
    for (int i = 0; i < bytes.getShort(0x38); i++) {
      int header = headers + i * 56;
      long from = bytes.getLong(header + 16);
      long size = bytes.getLong(header + 32);
      if (bytes.getInt(header) == 1 && address >= from && address < from + size) {
        return bytes.getLong(header + 8) + address - from;
      }
    }
    throw new AssertionError("no segment with 0x" + Long.toHexString(address));
  }

  @Test
  void objectsAreShownAsWhatTheyAreWhenAsked() {
    assertThat(program.run("p shape")).contains("(geo::Shape *) 0x").contains("<circle>");
    assertThat(program.run("p *shape")).contains("id = 3").doesNotContain("r = 9");
    var on = "set print object on";
    assertThat(program.run(on, "show print")).contains("object: on");
    assertThat(program.run(on, "p shape")).contains("(geo::Circle *) 0x").contains("<circle>");
    assertThat(program.run(on, "p *shape")).isEqualTo(program.run("p circle"));
    assertThat(program.run(on, "p rshape")).contains("(geo::Circle &) @0x").contains("r = 9");
    // The second of two bases: the object begins before it.
    assertThat(program.run(on, "p *rp")).isEqualTo(program.run("p dd")).contains("d = 3");
    assertThat(program.run(on, "p rp")).contains("(geo::D *) 0x").contains("<dd>");
    assertThat(program.run(on, "p wild_shape")).contains("(geo::Shape *) 0x8");
    assertThat(program.run(on, "p pt.x")).contains("= 1");
    assertThat(program.run(on, "set print object off", "p shape")).contains("(geo::Shape *) 0x");
    assertThat(program.run("set print object maybe")).contains("on or off");
    assertThat(program.run("p circle.geo::Nothing::id"))
        .contains("geo::Circle has no base class 'geo::Nothing'");
  }

  /** Where gdb errs: it takes tables for objects, and leaves a virtual base where it is. */
  @Test
  void castsFindTheObjectThatAPartIsOf() {
    var whole = program.run("p &whole");
    assertThat(program.run("p dynamic_cast<geo::Whole *>(root)")).isEqualTo(whole);
    assertThat(program.run("p dynamic_cast<geo::Whole *>(left)")).isEqualTo(whole);
    assertThat(program.run("p &dynamic_cast<geo::Whole &>(rroot)")).isEqualTo(whole);
    assertThat(program.run("p dynamic_cast<void *>(root) == &whole")).isEqualTo("$1 = 1");
    assertThat(program.run("p ((geo::Right *)root)->right")).isEqualTo("$1 = 3");
    assertThat(program.run("p ((geo::Whole)*root).whole")).isEqualTo("$1 = 4");
    assertThat(program.run("p (void *)reinterpret_cast<geo::Whole *>(root) == root"))
        .isEqualTo("$1 = 1");
    assertThat(program.run("p (geo::Whole *)&only_root", "p (geo::Whole &)only_root"))
        .contains("'geo::Root' is a virtual base of 'geo::Whole'")
        .contains("it is a 'geo::Root'")
        .doesNotContain("$1");
    assertThat(program.run("p (geo::D *)(geo::VBase *)&dd"))
        .contains("'geo::VBase' is a virtual base of 'geo::D'")
        .contains("its class is unknown");
    assertThat(program.run("p dynamic_cast<geo::Whole &>(only_root)"))
        .contains("the object has no part 'geo::Whole'");
    assertThat(program.run("p dynamic_cast<geo::Point *>((geo::VBase *)&dd)"))
        .contains("'geo::VBase' has no virtual functions");
    assertThat(program.run("p dynamic_cast<geo::Circle *>(wild_shape)")).contains("0x8");
    assertThat(program.run("p dynamic_cast<int *>(root)")).contains("pointers and references");
    assertThat(program.run("p (int &)5")).contains("only what stands in memory");
  }

  @Test
  void typesWithoutNamesOfTheirOwn() {
    assertThat(program.run("whatis member", "ptype method"))
        .isEqualTo(
            "int geo::Point::* member;\ntype = int (geo::Odd::*)(const geo::Odd * const, int)");
    assertThat(program.run("ptype aliased")).isEqualTo("type = int");
    assertThat(program.run("p nothing_at_all", "whatis nothing_at_all"))
        .isEqualTo("$1 = (decltype(nullptr)) 0x0\ndecltype(nullptr) nothing_at_all;");
    assertThat(program.run("ptype geo::Odd"))
        .contains("    static const double ratio;\n", "    operator int(void) const;\n")
        .contains("    operator geo::Point*(void);\n");
    assertThat(program.run("whatis \"abc\"", "whatis u\"ab\"", "ptype U\"a\""))
        .isEqualTo("char [4];\nchar16_t [3];\ntype = char32_t [2]");
    assertThat(program.run("p (std::vector<float> *)0"))
        .contains("unknown type 'std::vector<float>'");
    assertThat(program.run("p sizeof(Buf<int, 9>)")).contains("unknown type 'Buf<int,9>'");
    assertThat(program.run("info functions ^work"))
        .contains("\nint work(std::vector<int, ")
        .doesNotContain("number);");
  }

  @Test
  void operatorsOfContainersNeedNoCall() {
    assertThat(program.run("p str[1]", "p m[2]", "p *mit", "p *vit + *lit", "p *op"))
        .isEqualTo(
            "$1 = 101 'e'\n$2 = \"two\"\n$3 = {first = 1, second = \"one\"}\n$4 = 5\n$5 = 5");
    assertThat(program.run("p str == \"hello\"", "p \"on\" != m[1]")).isEqualTo("$1 = 1\n$2 = 1");
    assertThat(program.run("p v[1] + ar[0] * 2", "p &v[1] == &v[0] + 1"))
        .isEqualTo("$1 = 4\n$2 = 1");
    assertThat(program.run("p dq[3]", "p dq[289]")).isEqualTo("$1 = 13\n$2 = 299");
    assertThat(program.run("p v[3]")).contains("there is no element [3] (column 1)");
    assertThat(program.run("p v[-1]")).contains("there is no element [-1]");
    assertThat(program.run("p none[0]")).contains("there is no element [0]");
    // A number is made one of the key's type.
    assertThat(program.run("p mu[-1] * 100 + mu[4294967295] * 10 + mc[255]")).isEqualTo("$1 = 998");
    assertThat(program.run("p mbo[3]", "p mbo[0]")).startsWith("$1 = 7").contains("element [0]");
    assertThat(program.run("p m[9]")).contains("there is no element [9]");
    assertThat(program.run("p um[str]")).contains("elements are found by a number only");
    assertThat(program.run("p li[1]")).contains("there is no 'operator[]' for 'std::");
    assertThat(program.run("p *no_up")).contains("0x0");
    assertThat(program.run("p *wp")).contains("there is no 'operator*' for 'std::weak_ptr");
    assertThat(program.run("p bad_vector[0]")).contains("std::vector: at offset 0x");
    assertThat(program.run("p pt + 1")).contains("there is no 'operator+' for 'geo::Point' and");
    assertThat(program.run("p -pt")).contains("there is no 'operator-' for 'geo::Point'");
    assertThat(program.run("p pt(1)")).contains("there is no 'operator()' for 'geo::Point'");
  }
}
