// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/**
 * Shows objects of some classes as what they mean. Found with {@link java.util.ServiceLoader}: a
 * module {@code provides} its presenters, a jar on the class path names them in {@code
 * META-INF/services/dev.fathom.command.presenter.Presenter}. Where several know a class, those that
 * are not Fathom's own are asked first.
 */
public interface Presenter {
  /**
   * The classes that it knows, without arguments of templates and without inline namespaces of
   * libraries ({@code __cxx11}, {@code __1}): {@code std::vector}, {@code app::Matrix}.
   */
  List<String> classes();

  /**
   * What an object means; empty when it is not laid out as the presenter knows it. Parts are not
   * read before they are shown, and of a long container only the first ones are.
   *
   * @param type the object's type without typedefs; its name has the arguments of the template
   * @throws dev.fathom.base.LookupException when a member is missing, which counts as not known
   * @throws dev.fathom.base.BadDataException when the object is damaged, which is then shown in its
   *     place
   * @throws dev.fathom.base.FaultException when it cannot be read
   */
  Optional<Presentation> present(Value.Ref object, CompositeType type);
}
