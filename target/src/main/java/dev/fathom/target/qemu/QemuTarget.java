// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RunControl;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The guest of a QEMU. Nothing that is read of it stops it. */
final class QemuTarget implements Target {
  private final String address;
  private final QmpClient qmp;
  private final Optional<HostMemory> memory;
  private final GuestRam ram;
  private final Machine machine;
  private final List<String> warnings;
  private List<Cpu> cpus = List.of();
  private long cpusEpoch = -1;

  private QemuTarget(
      String address,
      QmpClient qmp,
      Optional<HostMemory> memory,
      GuestRam ram,
      Machine machine,
      List<String> warnings) {
    this.address = address;
    this.qmp = qmp;
    this.memory = memory;
    this.ram = ram;
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
    Optional<HostMemory> memory = Optional.empty();
    try {
      var warnings = new ArrayList<String>();
      if (process.isPresent()) {
        try {
          memory = Optional.of(ProcMemory.open(process.get().pid()));
        } catch (TargetException e) {
          warnings.add(e.getMessage() + ": guest memory is read through QEMU's monitor, slowly");
        }
      } else {
        warnings.add(
            "the QEMU process was not found on this host: guest memory is read through QEMU's"
                + " monitor, slowly");
      }
      RamLayout layout = RamLayout.parse(qmp.monitor("info mtree -f"));
      GuestRam.Source source =
          memory.isPresent() ? new DirectSource(memory.get()) : new MonitorSource(qmp);
      GuestRam ram = new GuestRam(qmp, source, layout);
      Machine machine = new Machine(qmp, ram);
      var target = new QemuTarget(address, qmp, memory, ram, machine, warnings);
      if (options.stop()) {
        machine.stop();
      }
      return target;
    } catch (RuntimeException | Error e) {
      try (qmp) {
        memory.ifPresent(HostMemory::close);
      }
      throw e;
    }
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
    return X86_64.INSTANCE.name();
  }

  @Override
  public List<Cpu> cpus() {
    boolean stopped = machine.state() == Live.State.STOPPED;
    if (!stopped || cpusEpoch != machine.epoch()) {
      String source = stopped ? "QEMU" : "QEMU, running";
      var now = new ArrayList<Cpu>();
      for (MonitorRegisters.State state : MonitorRegisters.x86(qmp.monitor("info registers -a"))) {
        now.add(new Cpu(state.id(), state.registers(), source));
      }
      cpus = List.copyOf(now);
      cpusEpoch = stopped ? machine.epoch() : -1;
    }
    return cpus;
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == PhysicalMemory.class) {
      return Optional.of(capability.cast(ram));
    }
    return capability == Live.class || capability == RunControl.class
        ? Optional.of(capability.cast(machine))
        : Optional.empty();
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  @Override
  public void close() {
    try (qmp) {
      machine.release();
    } catch (TargetException _) {
      return; // The machine ended meanwhile: there is nothing to let go.
    } finally {
      memory.ifPresent(HostMemory::close);
    }
  }
}
