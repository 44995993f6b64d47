// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.testkit.Fuzz;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DescriptionReaderTest {
  private static final String TARGET =
      """
      <?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">
      <target><architecture>i386:x86-64</architecture><xi:include href="core.xml"/>
      <xi:include href="more.xml"/></target>""";
  private static final String CORE =
      """
      <?xml version="1.0"?>
      <!-- the core -->
      <!DOCTYPE feature SYSTEM "gdb-target.dtd">
      <feature name="org.gnu.gdb.i386.core">
        <flags id="f" size="4"><field name="CF" start="0" end="0"/></flags>
        <reg name="rax" bitsize="64" type="int64"/>
        <reg name="eflags" bitsize="32" type="f" regnum="7"/>
        <reg name="st0" bitsize="80" type="i387_ext" group="float"/>
      </feature>""";
  private static final String MORE =
      "<feature name='x'><reg name='k_gs_base' bitsize='64' regnum='3'/></feature>";

  @Test
  void numbersRegistersAcrossDocuments() {
    Description description =
        read(Map.of("target.xml", TARGET, "core.xml", CORE, "more.xml", MORE));
    assertThat(description.architecture()).isEqualTo("i386:x86-64");
    assertThat(description.registers())
        .containsExactly(
            new Description.Entry("rax", 0, 64, "int64", ""),
            new Description.Entry("k_gs_base", 3, 64, "", ""),
            new Description.Entry("eflags", 7, 32, "f", ""),
            new Description.Entry("st0", 8, 80, "i387_ext", "float"));
  }

  @Test
  void refusesWhatIsNoDescription() {
    refuses("<target>", "no well-formed XML");
    refuses("", "no well-formed XML");
    // In one line, whatever is quoted of it.
    refuses("<?xml version=\"1.0b?>\n<feature name=\"", "1.0b?> <feature name=");
    refuses("<target><reg name='a'/></target>", "register a without bitsize");
    refuses("<target><reg bitsize='1'/></target>", "register without a usable name");
    refuses("<target><reg name='a' bitsize='0'/></target>", "register a of no bits");
    refuses(
        "<target><reg name='a' bitsize='99999999'/></target>",
        "bitsize '99999999', expected 0 to 1048576");
    refuses("<target><reg name='a' bitsize='-8'/></target>", "bitsize '-8'");
    refuses(
        "<target><reg name='a' bitsize='8'/><reg name='b' bitsize='8' regnum='0'/></target>",
        "second register of number 0, b");
    refuses("<target><xi:include href='gone.xml'/></target>", "stub does not have it");
    refuses("<target><xi:include/></target>", "include without a usable href");
    refuses("<target><xi:include href='target.xml'/></target>", "included 9 levels deep");
    refuses("<a>".repeat(70), "elements nested more than 64 deep");
    refuses(
        "<target>" + "<reg name='a' bitsize='8'/>".repeat(9000) + "</target>",
        "more than 8192 registers");
  }

  /** Expanded, the entities would be gigabytes; the file must not be read. */
  @Test
  void expandsNoEntities() {
    String bomb =
        "<!DOCTYPE t [<!ENTITY a '"
            + "x".repeat(1000)
            + "'><!ENTITY b '"
            + "&a;".repeat(1000)
            + "'><!ENTITY c '"
            + "&b;".repeat(1000)
            + "'>]><target><architecture>&c;</architecture></target>";
    assertHarmless(bomb);
    assertHarmless(
        "<!DOCTYPE t [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
            + "<target><architecture>&f;</architecture></target>");
  }

  private static void assertHarmless(String target) {
    try {
      assertThat(read(Map.of("target.xml", target)).architecture()).isEmpty();
    } catch (BadDataException e) {
      assertThat(e).hasMessageContaining("no well-formed XML");
    }
  }

  @Test
  void survivesDamage() {
    Fuzz.run(
        (TARGET.replace(
                "<xi:include href=\"core.xml\"/>", CORE.substring(CORE.indexOf("<feature"))))
            .getBytes(StandardCharsets.UTF_8),
        2000,
        bytes ->
            DescriptionReader.read(
                "stub",
                name ->
                    Optional.of(
                        name.equals("target.xml")
                            ? bytes
                            : MORE.getBytes(StandardCharsets.UTF_8))));
  }

  private static void refuses(String target, String why) {
    assertThatThrownBy(() -> read(Map.of("target.xml", target)))
        .isInstanceOf(BadDataException.class)
        .hasMessageStartingWith("stub ")
        .hasMessageContaining(why);
  }

  private static Description read(Map<String, String> documents) {
    var bytes = new HashMap<String, byte[]>();
    documents.forEach((name, text) -> bytes.put(name, text.getBytes(StandardCharsets.UTF_8)));
    return DescriptionReader.read("stub", name -> Optional.ofNullable(bytes.get(name)));
  }
}
