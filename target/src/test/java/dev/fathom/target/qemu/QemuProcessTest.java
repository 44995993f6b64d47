// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.target.local.HostMemory;
import dev.fathom.target.local.ProcMemory;
import dev.fathom.testkit.qemu.FakeQmp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QemuProcessTest {
  @Test
  void findsTheSocketsOfTheMachineProtocol() {
    assertThat(sockets("-m", "1G", "-qmp", "unix:guest.qmp,server=on,wait=off"))
        .containsExactly(UnixDomainSocketAddress.of("/vm/guest.qmp"));
    assertThat(sockets("--qmp-pretty", "unix:/run/a,,b,server,nowait"))
        .containsExactly(UnixDomainSocketAddress.of("/run/a,b"));
    assertThat(sockets("-qmp", "tcp::4444,server=on"))
        .containsExactly(new InetSocketAddress("localhost", 4444));
    assertThat(
            sockets(
                "-mon", "chardev=m,mode=control,pretty=on",
                "-chardev", "socket,id=m,path=/run/m,server=on,wait=off",
                "-chardev", "socket,id=h,path=/run/h,server=on,wait=off",
                "-mon", "h,mode=readline",
                "-chardev", "socket,id=t,host=127.0.0.1,port=99,server=yes",
                "-mon", "mode=control,chardev=t"))
        .containsExactly(
            UnixDomainSocketAddress.of("/run/m"), new InetSocketAddress("127.0.0.1", 99));
  }

  @Test
  void leavesOutWhatCannotBeConnectedTo() {
    assertThat(sockets("-qmp", "unix:/run/a")).isEmpty();
    assertThat(sockets("-qmp", "unix:/run/a,server=off")).isEmpty();
    assertThat(sockets("-qmp", "stdio")).isEmpty();
    assertThat(sockets("-qmp", "tcp:localhost:http,server=on")).isEmpty();
    assertThat(sockets("-qmp", "tcp:,server=on")).isEmpty();
    assertThat(sockets("-qmp")).isEmpty();
    assertThat(sockets("-mon", "chardev=none,mode=control")).isEmpty();
    assertThat(sockets("-chardev", "pipe,id=m,path=/p", "-mon", "chardev=m,mode=control"))
        .isEmpty();
  }

  @Test
  void findsTheGdbStub() {
    assertThat(process("-s").stub()).contains("localhost:1234");
    assertThat(process("-gdb", "tcp::99,ipv4=on").stub()).contains("localhost:99");
    assertThat(process("-s", "-gdb", "tcp:[::1]:99").stub()).contains("[::1]:99");
    assertThat(process("-gdb", "unix:stub,server=on").stub()).contains("unix:/vm/stub");
    assertThat(process("-gdb", "stdio").stub()).isEmpty();
    assertThat(process("-gdb").stub()).isEmpty();
    assertThat(process("-S").stub()).isEmpty();
  }

  @Test
  void readsQemusOptions() {
    assertThat(QemuProcess.options("socket,id=a,path=/x,,y,server,nowait,k=v=w", "backend"))
        .isEqualTo(
            Map.of(
                "backend", "socket",
                "id", "a",
                "path", "/x,y",
                "server", "on",
                "wait", "off",
                "k", "v=w"));
  }

  @Test
  void readsAProcessOfThisHost() {
    long own = ProcessHandle.current().pid();
    assertThat(QemuProcess.of(own).arguments().getFirst()).contains("java");
    assertThatThrownBy(() -> QemuProcess.of(1L << 40))
        .isInstanceOf(TargetException.class)
        .hasMessage("there is no process " + (1L << 40));
  }

  @Test
  void theMemoryOfAProcessThatHasEndedIsAnError() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sleep", "60").start();
    try (HostMemory memory = ProcMemory.open(process.pid())) {
      String first = Files.readAllLines(Path.of("/proc/" + process.pid() + "/maps")).getFirst();
      long address = Long.parseLong(first.substring(0, first.indexOf('-')), 16);
      var into = MemorySegment.ofArray(new byte[16]);
      assertThat(memory.read(address, into)).isEqualTo(16);
      assertThat(memory.read(0, into)).isZero();
      assertThat(memory.read(-4096, into)).isZero();
      process.destroyForcibly().waitFor();
      assertThatThrownBy(() -> memory.read(address, into))
          .isInstanceOf(TargetException.class)
          .hasMessage("process " + process.pid() + " has ended");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void findsTheProcessThatListens() throws IOException {
    long own = ProcessHandle.current().pid();
    try (FakeQmp fake = new FakeQmp()) {
      SocketAddress address = UnixDomainSocketAddress.of(fake.socket());
      assertThat(Listeners.find(address)).hasValue(own);
      assertThat(Listeners.find(UnixDomainSocketAddress.of("/nowhere" + fake.socket()))).isEmpty();
    }
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      SocketAddress here = server.getLocalSocketAddress();
      assertThat(Listeners.find(here)).hasValue(own);
      int port = server.getLocalPort();
      assertThat(Listeners.find(new InetSocketAddress("192.0.2.1", port))).isEmpty();
    }
  }

  private static List<SocketAddress> sockets(String... arguments) {
    return process(arguments).controlSockets();
  }

  private static QemuProcess process(String... arguments) {
    var line = new ArrayList<String>();
    line.add("qemu-system-x86_64");
    line.addAll(List.of(arguments));
    return new QemuProcess(1, line, Path.of("/vm"));
  }
}
