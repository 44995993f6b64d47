// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class LetGoTest {
  @Test
  void letsTheTargetGoOnce() {
    var target = new SlowTarget(0);
    var guard = LetGo.standing();
    guard.over(target);
    guard.close();
    guard.close();
    guard.atEnd();
    assertThat(target.closed.get()).isEqualTo(1);
  }

  @Test
  void aGuardOverNothingIsHarmless() {
    var guard = LetGo.standing();
    guard.atEnd();
    guard.close();
  }

  @Test
  void theEndOfTheProcessInterruptsACommandAndWaitsForIt() throws InterruptedException {
    var target = new SlowTarget(0);
    var guard = LetGo.standing();
    guard.over(target);
    var interrupted = new CountDownLatch(1);
    guard.interruptWith(interrupted::countDown);
    guard.enter();
    var end = Thread.ofPlatform().start(guard::atEnd);
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(target.closed.get()).as("closed under a running command").isZero();
    guard.leave();
    end.join();
    assertThat(target.closed.get()).isEqualTo(1);
  }

  @Test
  void theEndOfTheProcessInterruptsAttachingAndWaitsForIt() throws InterruptedException {
    var target = new SlowTarget(0);
    var guard = LetGo.standing();
    var begun = new CountDownLatch(1);
    var attacher =
        Thread.ofPlatform()
            .start(
                () -> {
                  guard.enter();
                  guard.attaching(Duration.ofSeconds(20));
                  begun.countDown();
                  boolean slept = sleeps();
                  guard.over(target);
                  assertThat(slept && guard.isEnding()).isTrue();
                  guard.leave();
                });
    assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
    guard.atEnd();
    attacher.join();
    assertThat(target.closed.get()).isEqualTo(1);
  }

  @Test
  void noCommandBeginsOnceTheProcessEnds() throws InterruptedException {
    var guard = LetGo.standing();
    guard.over(new SlowTarget(0));
    guard.atEnd();
    var late = Thread.ofPlatform().daemon().start(guard::enter);
    late.interrupt();
    assertThat(late.join(Duration.ofMillis(500))).isFalse();
  }

  /** Until it is interrupted, and as long again as a command may take to end. */
  private static boolean sleeps() {
    try {
      Thread.sleep(Duration.ofSeconds(30));
      return false;
    } catch (InterruptedException _) {
      try {
        Thread.sleep(Duration.ofSeconds(6));
      } catch (InterruptedException _) {
        return false;
      }
      return true;
    }
  }

  @Test
  void theEndOfTheProcessWaitsForALettingGoThatHasBegun() throws InterruptedException {
    var target = new SlowTarget(6_000);
    var guard = LetGo.standing();
    guard.over(target);
    Thread.ofPlatform().start(guard::close);
    assertThat(target.began.await(10, TimeUnit.SECONDS)).isTrue();
    guard.atEnd();
    assertThat(target.closed.get()).as("ended in the middle of letting go").isEqualTo(1);
  }

  /** Takes its time to close. */
  private static final class SlowTarget implements Target {
    private final long millis;
    private final CountDownLatch began = new CountDownLatch(1);
    private final AtomicInteger closed = new AtomicInteger();

    private SlowTarget(long millis) {
      this.millis = millis;
    }

    @Override
    public TargetInfo info() {
      return new TargetInfo("live guest", "slow", "none", "x86_64", List.of());
    }

    @Override
    public List<Cpu> cpus() {
      return List.of();
    }

    @Override
    public <C extends Capability> Optional<C> find(Class<C> capability) {
      return Optional.empty();
    }

    @Override
    public List<String> warnings() {
      return List.of();
    }

    @Override
    public void close() {
      began.countDown();
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      closed.incrementAndGet();
    }
  }
}
