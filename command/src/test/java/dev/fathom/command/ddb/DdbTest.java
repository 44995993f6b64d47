// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Outcome;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.StringWriter;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** ddb's lines typed at a guest behind a gdb stub. */
@Timeout(60)
class DdbTest {
  private final TinyLinux linux = new TinyLinux();
  private FakeStub stub;
  private Session session;
  private CommandService service;
  private Outcome outcome;

  @BeforeEach
  void attach() {
    linux.vmcore();
    stub = linux.stub();
    session =
        Session.attach(
            stub.address(),
            AttachOptions.DEFAULT,
            new KernelOptions(Optional.empty(), true, Progress.NONE));
    service = StandardCommands.over(session);
  }

  @AfterEach
  void close() {
    session.close();
    stub.close();
    assertThat(stub.violations()).isEmpty();
  }

  private String run(String line) {
    var out = new StringWriter();
    outcome = service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  @Test
  void aCountedBreakpointStopsAtThatHit() {
    assertThat(run("break schedule,3")).contains("breakpoint 1 at schedule");
    for (int i = 0; i < 4; i++) {
      stub.comes(0, linux.address("schedule"));
    }
    assertThat(run("continue")).contains("breakpoint 1: ");
    assertThat(session.control().breakpoint(1).hits()).isEqualTo(3);
    assertThat(run("break schedule,0")).contains("at least 1");
    assertThat(outcome.ok()).isFalse();
  }

  @Test
  void breakpointsAreDeletedByTheirPlaces() {
    run("break schedule");
    run("break panic");
    run("break *0x" + Long.toHexString(linux.address("schedule")));
    run("disable schedule");
    assertThat(session.control().breakpoint(1).enabled()).isFalse();
    assertThat(session.control().breakpoint(2).enabled()).isTrue();
    assertThat(session.control().breakpoint(3).enabled()).isFalse();
    run("delete schedule");
    assertThat(session.control().breakpoints()).singleElement().matches(b -> b.id() == 2);
    assertThat(run("delete schedule")).contains("unknown breakpoint at 'schedule'");
    assertThat(run("delete 7")).contains("unknown breakpoint '7'");
    run("delete 2");
    assertThat(run("show breaks")).contains("there are no breakpoints");
  }

  @Test
  void memoryIsWatchedByItsAddress() {
    assertThat(run("hwatch __cpu_online_mask,4")).contains("watchpoint 1 at __cpu_online_mask");
    assertThat(session.control().breakpoint(1).length()).isEqualTo(4);
    assertThat(run("show watches")).contains("__cpu_online_mask");
    run("dwatch __cpu_online_mask");
    assertThat(session.control().breakpoints()).isEmpty();
    assertThat(run("hwatch __cpu_online_mask,3")).contains("expected address[,size]");
  }

  @Test
  void callsAreTakenApart() {
    assertThat(run("call schedule(1, panic, 0x10)")).contains("attach with -w");
    service.environment().settings().writable(true);
    assertThat(run("call schedule(1 + 2)")).contains("neither a number nor a symbol");
    assertThat(run("call (schedule)")).contains("expected function(argument, ...)");
    assertThat(run("call nosuch()")).contains("nosuch");
    assertThat(outcome.ok()).isFalse();
  }

  @Test
  void vectorRegistersAreShownWhenAskedFor() {
    assertThat(run("::cpuregs -c 1")).doesNotContain("xmm0");
    // Each of the stub's registers is its CPU's number times 0x1000 plus its own.
    assertThat(run("::cpuregs -v -c 1")).containsPattern("%xmm0 0x0{28}101f\n").contains("%rip");
    assertThat(run("show registers")).contains("%rsp").doesNotContain("xmm0");
  }
}
