// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.Kernel;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.session.Session;
import dev.fathom.target.Live;
import dev.fathom.target.Target;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FramesTest {
  private int walks;
  private int forgotten;

  private static <T> T with(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** A target in which the first walks over a stack find it torn. */
  private Session session(Live.State state, int torn) {
    var live = with(Live.class, (_, method, _) -> method.getName().equals("state") ? state : 0L);
    var target =
        with(
            Target.class,
            (_, method, arguments) ->
                method.getName().equals("find")
                    ? arguments[0] == Live.class ? Optional.of(live) : Optional.empty()
                    : List.of());
    var kernel =
        with(
            Kernel.class,
            (_, method, _) -> {
              if (method.getName().equals("ran")) {
                forgotten++;
                return null;
              }
              return ++walks > torn
                  ? Backtrace.none("asleep")
                  : Backtrace.unreadable("it is not there");
            });
    return Session.of(target, kernel);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "2, 3", "9, 4"})
  void aTornStackOfARunningTargetIsWalkedAgain(int torn, int expected) {
    var trace = Frames.walk(session(Live.State.RUNNING, torn), null);
    assertThat(walks).isEqualTo(expected);
    assertThat(forgotten).isEqualTo(expected - 1);
    assertThat(trace.isCut()).isEqualTo(torn >= expected);
  }

  @Test
  void aStoppedTargetsStackIsWalkedOnce() {
    assertThat(Frames.walk(session(Live.State.STOPPED, 9), null).isCut()).isTrue();
    assertThat(walks).isEqualTo(1);
  }
}
