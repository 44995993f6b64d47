// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.lang.CTextTypes;
import dev.fathom.lang.DataModel;
import dev.fathom.model.Value;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RunControl;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/** Variables that gdb sets by itself, in expressions: what is asked is looked up then. */
final class Conveniences {
  private static final IntType INT = new IntType("int", 4, true, false);

  /** {@code siginfo_t} of 64-bit machines (Linux include/uapi/asm-generic/siginfo.h). */
  private static final String SIGINFO =
      """
      typedef union { int sival_int; void *sival_ptr; } sigval_t;
      struct siginfo {
        int si_signo, si_errno, si_code;
        union {
          int _pad[28];
          struct { int si_pid; unsigned si_uid; } _kill;
          struct { int si_tid, si_overrun; sigval_t si_sigval; } _timer;
          struct { int si_pid; unsigned si_uid; sigval_t si_sigval; } _rt;
          struct { int si_pid; unsigned si_uid; int si_status; long si_utime, si_stime; } _sigchld;
          struct {
            void *si_addr;
            short _addr_lsb;
            struct { void *_lower, *_upper; } _addr_bnd;
          } _sigfault;
          struct { long si_band; int si_fd; } _sigpoll;
          struct { void *_call_addr; int _syscall; unsigned _arch; } _sigsys;
        } _sifields;
      };
      """;

  private Conveniences() {}

  /**
   * The value of one, by its name without {@code $}; empty where there is no such variable, or it
   * has no value yet.
   */
  static Optional<Value> of(Invocation call, String name) {
    return switch (name) {
      case "_siginfo" -> Optional.of(signalInfo(call));
      case "_thread", "_gthread" -> number(call, thread(call));
      case "_exitcode" -> number(call, ended(call, false));
      case "_exitsignal" -> number(call, ended(call, true));
      case "bpnum" ->
          call.session().target().find(RunControl.class).isPresent()
              ? number(call, call.session().control().lastNumber())
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<Value> number(Invocation call, OptionalLong number) {
    return number.isPresent()
        ? Optional.of(new Value.Imm(call.program(), INT, number.getAsLong()))
        : Optional.empty();
  }

  private static OptionalLong thread(Invocation call) {
    var task = call.environment().currentTask(call.kernel());
    return task.isPresent() ? task.get().id() : OptionalLong.empty();
  }

  private static OptionalLong ended(Invocation call, boolean bySignal) {
    var ending = call.session().target().find(ProcessView.class).flatMap(ProcessView::ending);
    if (ending.isEmpty() || ending.get().signal().isPresent() != bySignal) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(bySignal ? ending.get().signal().getAsInt() : ending.get().status());
  }

  private static Value signalInfo(Invocation call) {
    var view =
        call.session()
            .target()
            .find(ProcessView.class)
            .orElseThrow(() -> new EvalException("$_siginfo is of the threads of a process"));
    var thread = Tasks.selected(call);
    var info =
        view.signalInfo((int) thread.object().address())
            .orElseThrow(
                () -> new EvalException("no signal has stopped thread " + thread.idText()));
    var types = new CTextTypes("siginfo", DataModel.LP64, new TypeSystem(Long.BYTES));
    types.read("siginfo.h", SIGINFO);
    var type = types.find(TypeName.struct("siginfo")).orElseThrow();
    return Value.held(call.program(), type, Arrays.copyOf(info, (int) type.bytes()));
  }
}
