// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RenderersTest {
  private static final Datum.Header HEADER =
      new Datum.Header(
          "things",
          List.of(
              new Datum.Column("id", "ID", 4, Datum.Align.RIGHT),
              new Datum.Column("address", "ADDR", 16, Datum.Align.LEFT),
              new Datum.Column("name", "NAME", 0, Datum.Align.LEFT)));

  private static Datum row(long id, String name) {
    return new Datum.Row(List.of(Cell.decimal(id), Cell.address(0x1000), Cell.text(name)));
  }

  private static String text(Datum... data) {
    return text(TextRenderer.Options.PLAIN, data);
  }

  private static String text(TextRenderer.Options options, Datum... data) {
    var out = new StringBuilder();
    var renderer = new TextRenderer(out, out, options);
    renderer.begin("command");
    for (var datum : data) {
      renderer.accept(datum);
    }
    renderer.end(Outcome.OK);
    return out.toString();
  }

  private static String json(Datum... data) {
    var out = new StringWriter();
    var renderer = new JsonRenderer(out);
    renderer.begin("command");
    for (var datum : data) {
      renderer.accept(datum);
    }
    renderer.end(Outcome.OK);
    var start = "{\"command\":\"command\",\"results\":[";
    var end = "],\"ok\":true,\"notes\":[],\"lost\":[],\"error\":null}\n";
    assertThat(out.toString()).startsWith(start).endsWith(end);
    return out.toString().substring(start.length(), out.toString().length() - end.length());
  }

  @Test
  void tables() {
    assertThat(text(HEADER, row(1, "init"), row(12345, "longer than its column")))
        .isEqualTo(
            """
              ID ADDR             NAME
               1 0000000000001000 init
            12345 0000000000001000 longer than its column
            """);
    assertThat(json(HEADER, row(1, "init"), new Datum.Text("after")))
        .isEqualTo(
            "{\"kind\":\"table\",\"name\":\"things\",\"columns\":[\"id\",\"address\",\"name\"],"
                + "\"rows\":[{\"id\":1,\"address\":\"0x1000\",\"name\":\"init\"}]},"
                + "{\"kind\":\"text\",\"text\":\"after\"}");
  }

  @Test
  void absentIsNeverZero() {
    var absent = new Datum.Row(List.of(new Cell.Absent("page not in the dump")));
    assertThat(text(HEADER, absent)).endsWith("   -\n");
    assertThat(json(HEADER, absent)).contains("{\"id\":null}");
    var scalar = new Datum.Scalar("value", new Cell.Absent("page not in the dump"));
    assertThat(text(scalar)).isEqualTo("<page not in the dump>\n");
  }

  @Test
  void theTargetsTextCannotSteerTheTerminal() {
    assertThat(text(HEADER, row(1, "\u001b[2J\u009bx\u007f")))
        .contains("\\x1b[2J\\x9bx\\x7f")
        .doesNotContain("\u001b");
    assertThat(text(new Datum.Text("a\u0007\tb"))).isEqualTo("a\\x07\tb\n");
    assertThat(text(new Datum.Note(Datum.Severity.ERROR, "\u001b]0;x"))).doesNotContain("\u001b");
  }

  @ParameterizedTest
  @CsvSource({
    "9, HEX, false, 9",
    "10, HEX, false, 0xa",
    "8, OCTAL, false, 0o10",
    "7, OCTAL, false, 7",
    "1, BINARY, false, 1",
    "2, BINARY, false, 0i10",
    "10, DECIMAL, false, 0t10",
    "-1, DECIMAL, true, -1",
    "-10, DECIMAL, true, -0t10",
    "-1, HEX, false, 0xffffffffffffffff",
    "-9223372036854775808, DECIMAL, true, -0t9223372036854775808"
  })
  void numbersHaveAPrefixWhereTheyNeedOne(
      long value, Cell.Radix radix, boolean signed, String text) {
    assertThat(TextRenderer.text(new Cell.Int(value, radix, signed, true))).isEqualTo(text);
  }

  @Test
  void numbersInJson() {
    assertThat(json(new Datum.Scalar("v", Cell.unsigned(-1))))
        .contains("\"value\":18446744073709551615");
    assertThat(json(new Datum.Scalar("v", Cell.hex(-1))))
        .contains("\"value\":\"0xffffffffffffffff\"");
    assertThat(json(new Datum.Scalar("v", new Cell.Real(Double.NaN)))).contains("\"NaN\"");
    assertThat(json(new Datum.Scalar("v", new Cell.Flag(true)))).contains("\"value\":true");
    assertThat(json(new Datum.Scalar("v", new Cell.Symbolic(16, "start+4"))))
        .contains("{\"address\":\"0x10\",\"symbol\":\"start+4\"}");
  }

  @Test
  void coloursOnlyWhereAllowed() {
    var colour = new TextRenderer.Options("fathom", 80, 8, true);
    var marked =
        new Datum.Instruction(16, "start+4", new byte[] {1}, false, "ret", Optional.empty(), true);
    assertThat(text(colour, HEADER, marked, new Datum.Note(Datum.Severity.ERROR, "bad")))
        .contains("\u001b[4m")
        .contains("\u001b[1m")
        .contains("\u001b[31m");
    assertThat(text(HEADER, marked, new Datum.Note(Datum.Severity.ERROR, "bad")))
        .doesNotContain("\u001b")
        .contains("start+4:                          =>    ret\n");
  }

  @Test
  void notesGoToTheirOwnStream() {
    var out = new StringBuilder();
    var err = new StringBuilder();
    var renderer = new TextRenderer(out, err, TextRenderer.Options.PLAIN);
    renderer.begin("x");
    renderer.accept(new Datum.Note(Datum.Severity.INFO, "one"));
    renderer.accept(new Datum.Note(Datum.Severity.WARNING, "two"));
    renderer.lost(new Loss("threads without a stack", 3));
    renderer.end(Outcome.failed("three"));
    assertThat(out.toString()).isEmpty();
    assertThat(err.toString())
        .isEqualTo(
            """
            fathom: note: one
            fathom: warning: two
            fathom: left out: 3 threads without a stack
            """);
  }

  @Test
  void lossesAndNotesAreInTheDocument() {
    var out = new StringWriter();
    var renderer = new JsonRenderer(out);
    renderer.begin("x");
    renderer.accept(new Datum.Note(Datum.Severity.WARNING, "two"));
    renderer.lost(new Loss("threads", 3));
    renderer.end(Outcome.failed("three"));
    assertThat(out.toString())
        .isEqualTo(
            "{\"command\":\"x\",\"results\":[],\"ok\":false,\"notes\":[{\"severity\":\"warning\","
                + "\"text\":\"two\"}],\"lost\":[{\"what\":\"threads\",\"count\":3}],"
                + "\"error\":\"three\"}\n");
  }

  @Test
  void stacks() {
    var frame =
        new Datum.StackFrame(
            0x1000, 0x2000, "f+0x10", OptionalLong.of(24), "orc", Optional.of("<NMI>"));
    assertThat(
            text(
                new Datum.Stack(
                    "stack of t:",
                    OptionalLong.of(1),
                    List.of(frame),
                    Optional.of("ends here"),
                    Datum.Detail.FULL,
                    Datum.Style.MDB)))
        .isEqualTo(
            """
            stack of t:
              <NMI>
              0000000000001000 f+0x10() [orc, 24 bytes]
              (ends here)
            """);
    assertThat(
            text(
                new Datum.Stack(
                    "",
                    OptionalLong.empty(),
                    List.of(frame),
                    Optional.empty(),
                    Datum.Detail.FRAMES,
                    Datum.Style.CRASH)))
        .isEqualTo("<NMI>\n #0 [0000000000001000] f+0x10 at 0000000000002000\n");
  }

  @Test
  void unreadableBytesStayBlankAndAreNullInJson() {
    var layout = new Datum.HexLayout(4, 16, false, false, false, true, 0x1004);
    var readable = new boolean[16];
    readable[4] = true;
    var bytes = new byte[16];
    bytes[4] = 'A';
    var hex = new Datum.Hex(0x1000, bytes, readable, layout, true);
    assertThat(text(hex))
        .isEqualTo(
            " ".repeat(19)
                + " 0 1 2 3 \\/ 5 6 7  8 9 a b  c d e f  0123v56789abcdef\n"
                + " ".repeat(12)
                + "1000:  "
                + " ".repeat(9)
                + "41"
                + " ".repeat(24 + 2 + 4)
                + "A\n");
    assertThat(json(hex))
        .contains("{\"address\":\"0x1000\",\"length\":4,\"bytes\":null}")
        .contains("{\"address\":\"0x1004\",\"length\":1,\"bytes\":\"41\"}");
  }

  @Test
  void aFullDiskIsAnErrorForTheUser() {
    Appendable full =
        new Appendable() {
          @Override
          public Appendable append(CharSequence text) throws IOException {
            throw new IOException("No space left on device");
          }

          @Override
          public Appendable append(CharSequence text, int start, int end) throws IOException {
            throw new IOException("No space left on device");
          }

          @Override
          public Appendable append(char c) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    var renderer = new TextRenderer(full, full, TextRenderer.Options.PLAIN);
    assertThatThrownBy(() -> renderer.accept(new Datum.Text("x")))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("No space left");
  }

  @Test
  void aFullDiskIsAnErrorForTheReaderOfJsonToo() {
    var full =
        new Writer() {
          @Override
          public void write(char[] buffer, int from, int count) throws IOException {
            throw new IOException("No space left on device");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    var renderer = new JsonRenderer(full);
    renderer.begin("x");
    assertThatThrownBy(() -> renderer.end(Outcome.OK))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("No space left");
  }
}
