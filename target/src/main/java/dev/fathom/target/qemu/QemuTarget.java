// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The guest of a QEMU. Nothing that is read of it stops it. */
final class QemuTarget implements Target {
  private final String address;
  private final String architecture;
  private final QmpClient qmp;
  private final GuestRam ram;
  private final LazyStub stub;
  private final Machine machine;
  private final List<String> warnings;
  private List<Cpu> cpus = List.of();
  private long cpusEpoch = -1;
  private boolean closed;

  private QemuTarget(
      String address,
      String architecture,
      QmpClient qmp,
      GuestRam ram,
      LazyStub stub,
      Machine machine,
      List<String> warnings) {
    this.address = address;
    this.architecture = architecture;
    this.qmp = qmp;
    this.ram = ram;
    this.stub = stub;
    this.machine = machine;
    this.warnings = warnings;
  }

  /**
   * Takes over a connection, which it closes in the end or when this fails.
   *
   * @param process the QEMU behind it, where that is on this host and known
   * @throws TargetException when QEMU does not tell what is needed
   */
  static QemuTarget attach(
      String address, QmpClient qmp, Optional<QemuProcess> process, AttachOptions options) {
    GuestRam ram = null;
    try {
      String architecture = architecture(qmp);
      var warnings = new ArrayList<String>();
      ram = memory(qmp, process, warnings);
      Optional<String> known = options.stub().or(() -> process.flatMap(QemuProcess::stub));
      var stub = new LazyStub(qmp, known, options);
      var machine = new Machine(architecture, qmp, ram, stub);
      return new QemuTarget(address, architecture, qmp, ram, stub, machine, warnings);
    } catch (RuntimeException | Error e) {
      try (qmp) {
        if (ram != null) {
          ram.close();
        }
      }
      throw e;
    }
  }

  private static String architecture(QmpClient qmp) {
    Object told = qmp.execute("query-target", Map.of());
    String name = told instanceof Map<?, ?> map ? String.valueOf(map.get("arch")) : "";
    // Both programs emulate the same CPUs.
    String usual = name.equals("i386") ? X86_64.INSTANCE.name() : name;
    if (!usual.equals(X86_64.INSTANCE.name()) && !usual.equals(Aarch64.INSTANCE.name())) {
      throw new UnsupportedException(
          qmp.name() + ": a machine of architecture " + name + ", which is not known here");
    }
    return usual;
  }

  private static GuestRam memory(
      QmpClient qmp, Optional<QemuProcess> process, List<String> warnings) {
    String why = "the QEMU process was not found on this host";
    if (process.isPresent()) {
      try {
        return QemuMemory.of(process.get().pid(), qmp::monitor);
      } catch (TargetException e) {
        why = e.getMessage();
      }
    }
    warnings.add(why + ": the guest's memory is read through QEMU's monitor, slowly");
    return new GuestRam(qmp::monitor, new MonitorSource(qmp::monitor));
  }

  @Override
  public TargetInfo info() {
    long bytes = 0;
    for (Range range : ram.ranges()) {
      bytes += range.length();
    }
    return new TargetInfo(
        "live guest",
        address,
        "QEMU",
        architecture(),
        List.of(new Datum.Field("memory_bytes", "memory", Cell.decimal(bytes))));
  }

  @Override
  public String architecture() {
    return architecture;
  }

  /** From the stub where that is connected and the machine stopped: it knows more registers. */
  @Override
  public List<Cpu> cpus() {
    boolean stopped = machine.live().state() == Live.State.STOPPED;
    if (stopped && stub.connected().isPresent()) {
      return stub.connected().get().cpus();
    }
    if (!stopped || cpusEpoch != machine.live().epoch()) {
      cpus = machine.cpus(stopped ? "QEMU" : "QEMU, running");
      cpusEpoch = stopped ? machine.live().epoch() : -1;
    }
    return cpus;
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    return capability == PhysicalMemory.class
        ? Optional.of(capability.cast(ram))
        : machine.find(capability);
  }

  @Override
  public List<String> warnings() {
    var all = new ArrayList<String>(warnings);
    all.addAll(machine.warnings());
    return List.copyOf(all);
  }

  /**
   * Lets the machine go on, unless it was paused before or is to stay stopped. May be called by
   * another thread than the one that uses the target; what that one is at then ends with an error.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    qmp.takeOver();
    try (qmp;
        ram) {
      machine.release();
    } catch (FathomException e) {
      if (qmp.works()) {
        throw e;
      }
      warnings.add("the machine ended before it was let go");
    }
  }
}
