// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExportTest {
  private static Stacks sample() {
    return new Stacks("a <b> & c", Stacks.Unit.COUNT)
        .add(List.of("main", "read", "copy"), 3)
        .addInnermostFirst(List.of("write", "main"), 2)
        .add(List.of("main", "read", "copy"), 1)
        .add(List.of("</script>;x"), 4)
        .add(List.of(), 9)
        .add(List.of("none"), 0);
  }

  @Test
  void foldedStacks() throws IOException {
    var text = new StringBuilder();
    FoldedStacks.write(sample(), text);
    assertThat(text.toString()).isEqualTo("main;read;copy 4\nmain;write 2\n</script>:x 4\n");
    assertThat(sample().total()).isEqualTo(10);
  }

  /** What speedscope's file-format-schema.json asks for. */
  @Test
  void speedscope() {
    var text = new StringWriter();
    Speedscope.write(List.of(sample()), text);
    assertThat(text.toString())
        .isEqualTo(
            "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
                + "\"exporter\":\"fathom\",\"name\":\"a <b> & c\",\"activeProfileIndex\":0,"
                + "\"shared\":{\"frames\":[{\"name\":\"main\"},{\"name\":\"read\"},"
                + "{\"name\":\"copy\"},{\"name\":\"write\"},{\"name\":\"</script>;x\"}]},"
                + "\"profiles\":[{\"type\":\"sampled\",\"name\":\"a <b> & c\",\"unit\":\"none\","
                + "\"startValue\":0,\"endValue\":10,\"samples\":[[0,1,2],[0,3],[4]],"
                + "\"weights\":[4,2,4]}]}");
  }

  @Test
  void chromeTrace() {
    var text = new StringWriter();
    try (var chrome = new ChromeTrace(text, "guest")) {
      chrome.slice("idle", "wait", 1_500, 2_000_001, Map.of("cpu", "1"));
      chrome.instant("idle", "wake", 2_000, Map.of());
      chrome.counter("load", 3_000, 7);
    }
    assertThat(text.toString())
        .isEqualTo(
            "{\"displayTimeUnit\":\"ns\",\"traceEvents\":["
                + "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":0,\"tid\":0,"
                + "\"args\":{\"name\":\"guest\"}},"
                + "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":0,\"tid\":1,"
                + "\"args\":{\"name\":\"idle\"}},"
                + "{\"name\":\"wait\",\"cat\":\"trace\",\"ph\":\"X\",\"ts\":1.500,\"pid\":0,"
                + "\"tid\":1,\"dur\":2000.001,\"args\":{\"cpu\":\"1\"}},"
                + "{\"name\":\"wake\",\"cat\":\"trace\",\"ph\":\"i\",\"ts\":2.000,\"pid\":0,"
                + "\"tid\":1,\"s\":\"t\"},"
                + "{\"name\":\"load\",\"ph\":\"C\",\"ts\":3.000,\"pid\":0,"
                + "\"args\":{\"value\":7}}]}");
  }

  @Test
  void aFlameGraphIsOnePageAndHostileNamesStayText() throws IOException {
    var text = new StringWriter();
    FlameGraph.write(sample(), text);
    var page = text.toString();
    assertThat(page).contains("<title>a &lt;b&gt; &amp; c</title>");
    assertThat(page).contains("\"total\":10");
    assertThat(page)
        .contains("\"names\":[\"\\u003c/script>;x\",\"main\",\"read\",\"copy\",\"write\"]");
    assertThat(page).contains("\"nodes\":[0,0,4,0,1,6,1,2,4,2,3,4,1,4,2]");
    assertThat(page).doesNotContain("src=").doesNotContain("href=").doesNotContain("http");
    assertThat(page.split("</script>", -1)).hasSize(3);
  }
}
