// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.List;
import java.util.Optional;

/** The registers of one architecture, in a fixed order, and the roles that unwinding needs. */
public interface RegisterFile {
  List<Register> registers();

  Optional<Register> named(String name);

  Register pc();

  Register sp();

  Register fp();
}
