// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.util.List;

/** The machines that a guest can be. */
public enum Board {
  /** An x86-64 PC with all that QEMU can emulate. */
  PC("amd64", "qemu-system-x86_64", "qemu-system-x86", "max", Guest.KERNEL_OPTIONS),
  /**
   * A 64-bit Arm machine with all that QEMU can emulate: pointer authentication, addresses of 52
   * bits.
   */
  ARM("arm64", "qemu-system-aarch64", "qemu-system-arm", "max", Guest.ARM_OPTIONS),
  /** The same with one of the first such CPUs. */
  ARM_A57("arm64", "qemu-system-aarch64", "qemu-system-arm", "cortex-a57", Guest.ARM_OPTIONS);

  private final String debian;
  private final String program;
  private final String packageName;
  private final String cpu;
  private final String kernelOptions;

  Board(String debian, String program, String packageName, String cpu, String kernelOptions) {
    this.debian = debian;
    this.program = program;
    this.packageName = packageName;
    this.cpu = cpu;
    this.kernelOptions = kernelOptions;
  }

  /** Whether it is a 64-bit Arm machine. */
  public boolean isArm() {
    return this != PC;
  }

  /** Debian's name of the architecture. */
  String debian() {
    return debian;
  }

  /** QEMU's program. */
  String program() {
    return program;
  }

  /** Debian's package with QEMU's program. */
  String packageName() {
    return packageName;
  }

  /** What the kernel's command line begins with. */
  String kernelOptions() {
    return kernelOptions;
  }

  /** QEMU's arguments for the machine. */
  List<String> arguments(boolean fiveLevel) {
    return this == PC
        ? List.of("-cpu", fiveLevel ? cpu + ",la57=on" : cpu + ",la57=off")
        : List.of("-M", "virt", "-cpu", cpu);
  }
}
