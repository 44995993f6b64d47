// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Methods of containers of which no code is left: what they return is known all the same. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class KnownMethodsTest {
  private static final String SOURCE =
      """
      #include <array>
      #include <cstdio>
      #include <deque>
      #include <forward_list>
      #include <list>
      #include <map>
      #include <queue>
      #include <set>
      #include <stack>
      #include <string>
      #include <string_view>
      #include <unistd.h>
      #include <unordered_map>
      #include <vector>
      std::vector<int> v{1, 2, 3}, none;
      std::vector<bool> vb{true, false};
      std::string s = "hello";
      std::string_view sv = "view";
      std::map<int, int> m{{1, 2}, {3, 4}};
      std::list<int> l{7, 8}, nl;
      std::forward_list<int> nf;
      std::map<int, int> nm;
      std::string ns;
      std::deque<int> d{4, 5, 6};
      std::set<int> se{1, 2};
      std::array<int, 4> a{9, 8, 7, 6};
      std::unordered_map<int, int> um{{1, 1}};
      std::stack<int> st;
      std::queue<int> q;
      std::priority_queue<int> pq;
      std::forward_list<int> fl{3, 2};
      std::vector<std::string> vs{"a", "bc"};
      struct Own : std::vector<int> { int z = 1; } own;
      struct Sized { int n = 3; int size() const { return n; } } sized;
      int main(int argc, char **) {
        st.push(3);
        q.push(1);
        q.push(2);
        pq.push(5);
        own.push_back(4);
        puts("ready");
        fflush(stdout);
        if (argc > 9) *(volatile int *) 0 = sized.size();
        for (;;) pause();
      }
      """;

  private static final List<String> ASKED =
      List.of(
          "v.size() = 3",
          "none.size() = 0",
          "v.empty() = false",
          "none.empty() = true",
          "v.front() + 0 = 1",
          "v.back() + 0 = 3",
          "vb.size() = 2",
          "s.size() = 5",
          "s.length() = 5",
          "s.back() == 'o' = 1",
          "sv.size() = 4",
          "m.size() = 2",
          "l.size() = 2",
          "l.front() * 10 + l.back() = 78",
          "nl.size() = 0",
          "nl.empty() = true",
          "nf.empty() = true",
          "nm.size() = 0",
          "nm.empty() = true",
          "ns.length() = 0",
          "ns.empty() = true",
          "d.size() = 3",
          "d.back() + 0 = 6",
          "se.size() = 2",
          "a.size() = 4",
          "a.back() + 0 = 6",
          "um.size() = 1",
          "um.empty() = false",
          "st.size() = 1",
          "q.size() = 2",
          "q.front() * 10 + q.back() = 12",
          "pq.size() = 1",
          "fl.front() + 0 = 3",
          "vs.back() = \"bc\"",
          "vs[1].size() = 2",
          "own.size() = 1",
          "(&v)->size() = 3",
          "sizeof(v.size()) = 8");

  @TempDir Path folder;

  private static void check(CommandService service) {
    for (var asked : ASKED) {
      int at = asked.lastIndexOf(" = ");
      assertThat(Debugged.run(service, "output " + asked.substring(0, at)))
          .as(asked)
          .isEqualTo(asked.substring(at + 3));
    }
    assertThat(Debugged.run(service, "output v.front()")).matches("\\(.*\\) @0x\\w+: 1");
    assertThat(Debugged.run(service, "output none.back()")).contains("it is empty");
    for (var empty : List.of("none", "nl", "nf", "ns")) {
      assertThat(Debugged.run(service, "output " + empty + ".front()")).contains("it is empty");
    }
    assertThat(Debugged.run(service, "output v.capacity()")).contains("was inlined");
    assertThat(Debugged.run(service, "output sized.size()")).contains("was inlined");
  }

  @Test
  void areAnsweredWithoutACall() throws IOException {
    var program =
        CProgram.compileWith("g++", folder, "known", SOURCE, "-xc++", "-g", "-O2", "-std=c++17");
    Debugged.with(
        program,
        (service, _) -> {
          check(service);
          Debugged.run(service, "p v.front() = 9");
          assertThat(Debugged.run(service, "output v[0]")).isEqualTo("9");
        });
    var core = folder.resolve("core.file");
    Debugged.gdb(
        folder,
        List.of(),
        List.of(
            "-ex",
            "run 1 2 3 4 5 6 7 8 9",
            "-ex",
            "generate-core-file " + core,
            program.file().toString()));
    try (var session = Debugged.open(core)) {
      var service = StandardCommands.over(session);
      Debugged.run(service, "set print pretty off");
      check(service);
    }
  }
}
