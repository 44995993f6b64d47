// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Aggregation;
import dev.fathom.dtrace.ir.AggregationFunction;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.IrProgram;
import dev.fathom.dtrace.ir.Limits;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.FaultKind;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.Item;
import dev.fathom.dtrace.record.Key;
import dev.fathom.dtrace.record.ProbeError;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records in, DTrace's text or JSON out. */
class ConsumerTest {
  private static final Shape LONG = new Shape(Shape.Form.SIGNED, 8);
  private static final Shape INT = new Shape(Shape.Form.SIGNED, 4);
  private static final Shape UINT = new Shape(Shape.Form.UNSIGNED, 4);
  private static final Shape STRING = new Shape(Shape.Form.STRING, 256);
  private static final Shape STACK = new Shape(Shape.Form.STACK, 0);

  /** Every 0x100 bytes from 0x1000 on a function of vmlinux; user addresses below. */
  private static final AddressNames NAMES =
      new AddressNames() {
        @Override
        public Optional<Name> kernel(long address) {
          return address < 0x1000
              ? Optional.empty()
              : Optional.of(
                  new Name(
                      "vmlinux",
                      Optional.of("f" + Long.toHexString(address >> 8)),
                      address & -256,
                      address & 255));
        }

        @Override
        public Optional<Name> user(long pid, long address) {
          return address < 0x100
              ? Optional.empty()
              : Optional.of(
                  new Name("libc.so.6", Optional.empty(), address & -4096, address & 4095));
        }
      };

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<String> problems = new ArrayList<>();
  private final List<String> commands = new ArrayList<>();
  private final List<Aggregation> aggregations = new ArrayList<>();
  private final List<Clause> clauses = new ArrayList<>();
  private final List<EnabledProbe> enabled = new ArrayList<>();

  private int clause(String probe, Action... actions) {
    int id = clauses.size();
    clauses.add(new Clause(id, probe, 1, Optional.empty(), List.of(), Arrays.asList(actions), 0));
    var parts = probe.split(":", -1);
    enabled.add(
        new EnabledProbe(
            id + 1,
            new Probe(id + 10, new ProbeName(parts[0], parts[1], parts[2], parts[3]), List.of()),
            id));
    return id + 1;
  }

  private int aggregation(AggregationFunction function, List<Shape> keys, Long... parameters) {
    int id = aggregations.size() + 1;
    aggregations.add(new Aggregation(id, "a" + id, function, keys, Arrays.asList(parameters)));
    return id;
  }

  private Plan plan() {
    return new Plan(
        new IrProgram(List.of(), aggregations, clauses, Limits.DEFAULT),
        enabled,
        List.of(),
        Map.of());
  }

  private Consumer consumer(String... options) {
    var around =
        new Consumer.Surroundings(NAMES, ByteOrder.LITTLE_ENDIAN, ZoneOffset.UTC, commands::add);
    return Consumer.text(plan(), options(options), around, out, problems::add);
  }

  private static ConsumerOptions options(String... options) {
    var map = new java.util.HashMap<String, String>();
    for (var option : options) {
      int at = option.indexOf('=');
      map.put(at < 0 ? option : option.substring(0, at), at < 0 ? "" : option.substring(at + 1));
    }
    return new ConsumerOptions(map);
  }

  private String text() {
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  private static Firing firing(int epid, DValue... values) {
    var items = new ArrayList<Item>();
    for (int i = 0; i < values.length; i++) {
      items.add(new Item(i, List.of(values[i])));
    }
    return new Firing(epid, 0, 1, 0, items);
  }

  private static DValue.Num num(long value) {
    return new DValue.Num(value);
  }

  private static DValue.Text str(String value) {
    return new DValue.Text(value);
  }

  @Test
  void defaultRowsHaveAHeadAndPaddedValues() {
    int probe =
        clause(
            "syscall:vmlinux:read:entry",
            new Action.Trace(INT),
            new Action.Trace(STRING),
            new Action.Trace(new Shape(Shape.Form.UNSIGNED, 1)));
    consumer().firing(firing(probe, num(-3), str("bash"), num(-1)));
    assertThat(text())
        .isEqualTo(
            "CPU     ID                    FUNCTION:NAME\n"
                + "  0     10                       read:entry "
                + "         -3"
                + "  bash                             "
                + " 255\n");
  }

  @Test
  void quietRowsHaveDataOnly() {
    int probe =
        clause("a:b:c:d", new Action.Trace(INT), new Action.Trace(STRING), new Action.Trace(UINT));
    consumer("quiet").firing(firing(probe, num(-3), str("x"), num(-1)));
    assertThat(text()).isEqualTo("-3x4294967295");
  }

  @Test
  void flowIsIndented() {
    int in = clause("fbt:vmlinux:f:entry");
    int inner = clause("syscall:vmlinux:g:entry");
    int other = clause("sdt:vmlinux::mark");
    int back = clause("syscall:vmlinux:g:return");
    int out1 = clause("fbt:vmlinux:f:return");
    var consumer = consumer("flowindent");
    for (int epid : new int[] {in, inner, other, back, out1}) {
      consumer.firing(firing(epid));
    }
    assertThat(text().lines().map(String::stripTrailing))
        .containsExactly(
            "CPU FUNCTION",
            "  0  -> f",
            "  0    => g",
            "  0     | :mark",
            "  0    <= g",
            "  0  <- f");
  }

  @Test
  void printfKnowsEveryConversion() {
    var format =
        Format.parse("%d|%5d|%-5d|%05d|%x|%#x|%o|%u|%c|%s|%S|%a|%p|%*d|%.2s|%Y|%k|%C|%hd|%5s|%%");
    var shapes =
        new Shape[] {
          INT,
          INT,
          INT,
          INT,
          INT,
          INT,
          INT,
          INT,
          INT,
          STRING,
          STRING,
          LONG,
          LONG,
          INT,
          INT,
          STRING,
          LONG,
          STACK,
          INT,
          new Shape(Shape.Form.SIGNED, 2),
          new Shape(Shape.Form.SYM, 8)
        };
    var values =
        List.<DValue>of(
            num(-1),
            num(42),
            num(42),
            num(42),
            num(-1),
            num(255),
            num(8),
            num(-1),
            num('A'),
            str("s"),
            str("a\n\"b"),
            num(0x1234),
            num(0xabc),
            num(4),
            num(7),
            str("abc"),
            num(1_000_000_000L * 86_400 * 2),
            new DValue.Stack(new long[] {0x1100, 0x1234}),
            num(10),
            num(-2),
            num(0x1234));
    int probe = clause("a:b:c:d", new Action.Printf(format, Arrays.asList(shapes)));
    consumer("quiet").firing(new Firing(probe, 0, 1, 0, List.of(new Item(0, values))));
    assertThat(text())
        .isEqualTo(
            "-1|   42|42   |00042|ffffffff|0xff|10|4294967295|A|s|a\\n\\\"b|vmlinux`f12+0x34|abc"
                + "|   7|ab|1970 Jan  3 00:00:00|\nvmlinux`f11\nvmlinux`f12+0x34\n|\\n|-2"
                + "|vmlinux`f12|%");
  }

  @Test
  void aggregationsAreSortedByValueThenKey() {
    int count = aggregation(AggregationFunction.COUNT, List.of(STRING));
    clause("a:b:c:d");
    var consumer = consumer("quiet");
    for (var name : List.of("b", "a", "b", "c")) {
      consumer.aggregate(count, new Key(str(name)), () -> 0, 1, 1);
    }
    consumer.finish();
    assertThat(text()).isEqualTo("\n" + row("a", 1) + row("c", 1) + row("b", 2));
  }

  private static String row(String key, long value) {
    return "  " + key + " ".repeat(50 - key.length()) + String.format(" %16d%n", value);
  }

  @Test
  void aggregationOptionsChangeTheOrder() {
    int count = aggregation(AggregationFunction.SUM, List.of(STRING));
    clause("a:b:c:d");
    var consumer = consumer("quiet", "aggsortkey", "aggsortrev");
    consumer.aggregate(count, new Key(str("a")), () -> 0, 5, 1);
    consumer.aggregate(count, new Key(str("b")), () -> 0, 1, 1);
    consumer.finish();
    assertThat(text()).isEqualTo("\n" + row("b", 1) + row("a", 5));
  }

  @Test
  void scalarsAreComputedAsDTraceDoes() {
    var none = List.<Shape>of();
    int[] ids = new int[6];
    var functions =
        List.of(
            AggregationFunction.COUNT,
            AggregationFunction.SUM,
            AggregationFunction.MIN,
            AggregationFunction.MAX,
            AggregationFunction.AVG,
            AggregationFunction.STDDEV);
    for (int i = 0; i < ids.length; i++) {
      ids[i] = aggregation(functions.get(i), none);
    }
    int probe =
        clause(
            "a:b:c:d",
            new Action.Printa(
                Optional.of(Format.parse("%@d %@d %@d %@d %@d %@d\n")),
                Arrays.stream(ids).boxed().toList()));
    var consumer = consumer("quiet");
    for (long value : new long[] {-7, 2, 4, 4, 4, 5, 5, 7, 9}) {
      for (int id : ids) {
        consumer.aggregate(id, Key.NONE, () -> 0, value, 1);
      }
    }
    consumer.firing(new Firing(probe, 0, 1, 0, List.of(new Item(0, List.of()))));
    assertThat(text()).isEqualTo("9 33 -7 9 3 4\n");
  }

  @Test
  void mergedPartsAreTheSameAsSingleValues() {
    var none = List.<Shape>of();
    for (var function : AggregationFunction.values()) {
      var parameters =
          switch (function) {
            case LQUANTIZE -> List.of(0L, 100L, 10L);
            case LLQUANTIZE -> List.of(10L, 0L, 3L, 10L);
            default -> List.<Long>of();
          };
      var aggregation = new Aggregation(1, "x", function, none, parameters);
      var whole = new AggregateTable(aggregation, false);
      var part = new AggregateTable(aggregation, false);
      var merged = new AggregateTable(aggregation, false);
      for (int round = 0; round < 2; round++) {
        part.truncate(0);
        for (long value = -3; value < 1000; value = value * 3 + 11) {
          whole.add(Key.NONE, () -> 0, value + round, 1);
          part.add(Key.NONE, () -> 0, value + round, 1);
        }
        merged.merge(Key.NONE, 0, part.find(Key.NONE).orElseThrow().cell().words());
      }
      assertThat(merged.find(Key.NONE).orElseThrow().cell().words())
          .as(function.text())
          .containsExactly(whole.find(Key.NONE).orElseThrow().cell().words());
    }
  }

  @Test
  void postProcessingIsDoneInTheOrderOfRecords() {
    int sum = aggregation(AggregationFunction.SUM, List.of(STRING));
    var print = new Action.Printa(Optional.of(Format.parse("%s=%@d\n")), List.of(sum));
    int probe =
        clause(
            "a:b:c:d",
            new Action.Normalize(sum),
            print,
            new Action.Denormalize(sum),
            new Action.Truncate(sum, true),
            print,
            new Action.Clear(sum),
            print);
    var consumer = consumer("quiet");
    long value = 10;
    for (var name : List.of("x", "y", "z")) {
      consumer.aggregate(sum, new Key(str(name)), () -> 0, value, 1);
      value += 10;
    }
    consumer.firing(
        new Firing(
            probe,
            0,
            1,
            0,
            List.of(
                new Item(0, List.of(num(10))),
                new Item(1, List.of()),
                new Item(2, List.of()),
                new Item(3, List.of(num(2))),
                new Item(4, List.of()),
                new Item(5, List.of()),
                new Item(6, List.of()))));
    consumer.finish();
    assertThat(text()).isEqualTo("x=1\ny=2\nz=3\ny=20\nz=30\ny=0\nz=0\n\n");
  }

  @Test
  void severalAggregationsAreJoinedByTheirKeys() {
    int one = aggregation(AggregationFunction.SUM, List.of(STRING));
    int two = aggregation(AggregationFunction.MAX, List.of(STRING));
    int probe =
        clause(
            "a:b:c:d",
            new Action.Printa(Optional.of(Format.parse("%-3s %@3d %@3d\n")), List.of(one, two)),
            new Action.Printa(Optional.empty(), List.of(one, two)));
    var consumer = consumer("quiet");
    consumer.aggregate(one, new Key(str("k")), () -> 0, 5, 1);
    consumer.aggregate(two, new Key(str("k")), () -> 0, 8, 1);
    consumer.aggregate(two, new Key(str("only")), () -> 0, 9, 1);
    consumer.firing(
        new Firing(probe, 0, 1, 0, List.of(new Item(0, List.of()), new Item(1, List.of()))));
    assertThat(text())
        .isEqualTo(
            "only   0   9\nk     5   8\n\n"
                + row("only", 0).stripTrailing()
                + String.format(" %16d%n", 9)
                + row("k", 5).stripTrailing()
                + String.format(" %16d%n", 8));
  }

  @Test
  void speculationsWaitForTheirCommit() {
    int speculate = clause("a:b:c:spec", new Action.Printf(Format.parse("%d\n"), List.of(INT)));
    int commit = clause("a:b:c:commit", new Action.Commit());
    int discard = clause("a:b:c:discard", new Action.Discard());
    var consumer = consumer();
    consumer.firing(new Firing(speculate, 0, 1, 1, List.of(new Item(0, List.of(num(11))))));
    consumer.firing(new Firing(speculate, 0, 1, 2, List.of(new Item(0, List.of(num(22))))));
    assertThat(text()).isEmpty();
    consumer.firing(firing(discard, num(1)));
    consumer.firing(firing(commit, num(2)));
    consumer.firing(firing(commit, num(1)));
    assertThat(text().lines().skip(1))
        .containsExactly("  0     10                           c:spec 22", "");
  }

  @Test
  void speculationsThatAreTooLargeAreDropped() {
    int speculate = clause("a:b:c:spec", new Action.Trace(STRING));
    var consumer = consumer("specsize=100");
    for (int i = 0; i < 3; i++) {
      consumer.firing(
          new Firing(speculate, 0, 1, 1, List.of(new Item(0, List.of(str("x".repeat(30)))))));
    }
    assertThat(problems)
        .containsExactly("1 speculative drop on CPU 0", "1 speculative drop on CPU 0");
  }

  @Test
  void errorsAndDropsAreTold() {
    int probe = clause("syscall::read:entry", new Action.Trace(INT));
    var consumer = consumer();
    consumer.error(new ProbeError(probe, 1, 2, FaultKind.BAD_ADDRESS, 0x10));
    consumer.error(new ProbeError(probe, 1, 0, FaultKind.DIVIDE_BY_ZERO, 0));
    consumer.dropped(Drop.RECORD, 3, 7);
    assertThat(consumer.errors()).isEqualTo(2);
    assertThat(problems)
        .containsExactly(
            "error on enabled probe ID 1 (ID 10: syscall::read:entry): invalid address (0x10) in"
                + " action #2",
            "error on enabled probe ID 1 (ID 10: syscall::read:entry): divide-by-zero in predicate",
            "7 drops on CPU 3");
  }

  @Test
  void outputGoesToFilesAndCommandsAreRun(@TempDir Path folder) throws IOException {
    var file = folder.resolve("o");
    int probe =
        clause(
            "a:b:c:d",
            new Action.Freopen(Format.parse("%s"), List.of(STRING)),
            new Action.Printf(Format.parse("in\n"), List.of()),
            new Action.Freopen(Format.parse(""), List.of()),
            new Action.Printf(Format.parse("out\n"), List.of()),
            new Action.System(Format.parse("echo %d"), List.of(INT)),
            new Action.Exit());
    var consumer = consumer("quiet");
    consumer.firing(
        new Firing(
            probe,
            0,
            1,
            0,
            List.of(
                new Item(0, List.of(str(file.toString()))),
                new Item(1, List.of()),
                new Item(2, List.of()),
                new Item(3, List.of()),
                new Item(4, List.of(num(5))),
                new Item(5, List.of(num(3))))));
    assertThat(Files.readString(file)).isEqualTo("in\n");
    assertThat(text()).isEqualTo("out\n");
    assertThat(commands).containsExactly("echo 5");
    assertThat(consumer.status()).hasValue(3);
  }

  @Test
  void setoptChangesTheOutputFromThereOn() {
    int probe =
        clause("a:b:c:d", new Action.Trace(INT), new Action.Setopt("quiet", Optional.empty()));
    var consumer = consumer();
    var firing =
        new Firing(probe, 0, 1, 0, List.of(new Item(0, List.of(num(1))), new Item(1, List.of())));
    consumer.firing(firing);
    consumer.firing(firing);
    assertThat(text()).endsWith("c:d           1\n1");
  }

  @Test
  void bytesAreStringsOrDumps() {
    var bytes = new Shape(Shape.Form.BYTES, 4);
    int probe =
        clause(
            "a:b:c:d",
            new Action.Trace(bytes),
            new Action.Trace(bytes),
            new Action.TraceMemory(bytes, false));
    consumer("quiet")
        .firing(
            firing(
                probe,
                new DValue.Blob(new byte[] {'h', 'i', 0, 0}),
                new DValue.Blob(new byte[] {1, 2, 3, 4}),
                new DValue.Blob(new byte[] {'o', 'k', 0, 0})));
    var head = "\n             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    var gap = " ".repeat(36);
    assertThat(text())
        .isEqualTo(
            "hi"
                + head
                + "         0: 01 02 03 04"
                + gap
                + "  ....\n"
                + head
                + "         0: 6f 6b 00 00"
                + gap
                + "  ok..\n");
  }

  @Test
  void structuresAreShownMemberByMember() {
    var u32 = new IntType("unsigned int", 4, false, false);
    var character = new IntType("char", 1, true, true);
    var state = new EnumType("state", 4, false, List.of(new EnumType.Enumerator("BUSY", 2)));
    var type =
        new CompositeType(
            CompositeType.Kind.STRUCT,
            "thing",
            20,
            () ->
                List.of(
                    new Member("n", u32, 0, 0),
                    new Member("zero", u32, 32, 0),
                    new Member("low", u32, 64, 3),
                    new Member("high", u32, 67, 5),
                    new Member("s", state, 96, 0),
                    new Member(
                        "name", new ArrayType(() -> character, OptionalLong.of(4)), 128, 0)));
    var shape = new Shape(Shape.Form.BYTES, 20, Optional.of(type));
    int probe = clause("a:b:c:d", new Action.Print(shape));
    consumer("quiet")
        .firing(
            firing(
                probe,
                new DValue.Blob(
                    new byte[] {
                      5,
                      0,
                      0,
                      0,
                      0,
                      0,
                      0,
                      0,
                      (byte) 0b01010_011,
                      0,
                      0,
                      0,
                      2,
                      0,
                      0,
                      0,
                      'a',
                      'b',
                      0,
                      0
                    })));
    assertThat(text())
        .isEqualTo(
            """
            (struct thing) {
             .n = (unsigned int)5,
             .low = (unsigned int)3,
             .high = (unsigned int)10,
             .s = (enum state)BUSY,
             .name = (char [4])"ab",
            }
            """);
  }

  @Test
  void stacksBecomeWeightedFramesForFlameGraphs() {
    int count = aggregation(AggregationFunction.COUNT, List.of(STRING, STACK));
    clause("a:b:c:d");
    var consumer = consumer();
    var key = new Key(str("bash"), new DValue.Stack(new long[] {0x1100, 0x1234}));
    consumer.aggregate(count, key, () -> 0, 1, 1);
    consumer.aggregate(count, key, () -> 0, 1, 1);
    assertThat(consumer.stacks())
        .containsExactly(
            new Consumer.Weighted(List.of("vmlinux`f11", "vmlinux`f12+0x34", "bash"), 2));
  }

  @Test
  void aggregationsPerCpuAreShownOnRequest() {
    int sum = aggregation(AggregationFunction.SUM, List.of());
    clause("a:b:c:d");
    var consumer = consumer("quiet", "aggpercpu");
    consumer.aggregate(sum, Key.NONE, () -> 0, 3, 1);
    consumer.aggregate(sum, Key.NONE, () -> 2, 4, 1);
    consumer.finish();
    assertThat(text())
        .isEqualTo(String.format("%n %16d%n    [CPU 0] %16d%n    [CPU 2] %16d%n", 7, 3, 4));
  }

  @Test
  void aggregationsThatAreTooLargeAreDropped() {
    int sum = aggregation(AggregationFunction.SUM, List.of(INT));
    clause("a:b:c:d");
    var consumer = consumer("aggsize=300");
    for (int i = 0; i < 3; i++) {
      consumer.aggregate(sum, new Key(num(i)), () -> 0, 3, 1);
    }
    assertThat(problems).containsExactly("1 aggregation drop on CPU 0");
  }

  @Test
  void jsonHasALineForEachEvent() {
    int quantize = aggregation(AggregationFunction.QUANTIZE, List.of(STRING));
    int probe =
        clause("a:b:c:d", new Action.Trace(INT), new Action.Trace(STRING), new Action.Trace(STACK));
    var around =
        new Consumer.Surroundings(NAMES, ByteOrder.LITTLE_ENDIAN, ZoneOffset.UTC, commands::add);
    var consumer = Consumer.json(plan(), options(), around, out);
    consumer.firing(
        firing(probe, num(-1), str("\u00c3\u00a4"), new DValue.Stack(new long[] {0x1100})));
    consumer.aggregate(quantize, new Key(str("k")), () -> 0, 5, 1);
    consumer.error(new ProbeError(probe, 1, 2, FaultKind.BAD_ADDRESS, 0x10));
    consumer.finish();
    assertThat(out.toString(StandardCharsets.UTF_8).lines())
        .containsExactly(
            "{\"type\":\"firing\",\"probe\":\"a:b:c:d\",\"id\":10,\"cpu\":0,\"timestamp\":1,"
                + "\"data\":[-1,\"\u00e4\",[\"vmlinux`f11\"]]}",
            "{\"type\":\"error\",\"probe\":\"a:b:c:d\",\"id\":10,\"cpu\":1,\"action\":2,"
                + "\"reason\":\"invalid address\",\"address\":\"0x10\"}",
            "{\"type\":\"aggregation\",\"aggregations\":[{\"name\":\"@a1\",\"function\":\"quantize\"}],"
                + "\"rows\":[{\"key\":[\"k\"],\"values\":[[{\"from\":4,\"count\":1}]]}]}");
  }
}
