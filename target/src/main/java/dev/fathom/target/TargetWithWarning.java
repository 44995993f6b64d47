// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A target of which there is one thing more to be said. */
public record TargetWithWarning(Target target, String warning) implements Target {
  @Override
  public TargetInfo info() {
    return target.info();
  }

  @Override
  public String architecture() {
    return target.architecture();
  }

  @Override
  public List<Cpu> cpus() {
    return target.cpus();
  }

  @Override
  public Optional<Cpu> cpu(int id) {
    return target.cpu(id);
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    return target.find(capability);
  }

  @Override
  public List<String> warnings() {
    var all = new ArrayList<String>();
    all.add(warning);
    all.addAll(target.warnings());
    return List.copyOf(all);
  }

  @Override
  public void close() {
    target.close();
  }
}
