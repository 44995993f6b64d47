// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.module.ResolvedModule;
import java.net.URI;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the module system cannot see: rules about the inside of modules. */
class ArchitectureTest {

  private static final String PREFIX = "dev.fathom.";

  /**
   * Every module of the program that these tests run in, by its name after {@code dev.fathom.}: a
   * folder of classes, or a jar when the modules are packaged already.
   */
  private static final Map<String, Location> LOCATIONS =
      ModuleLayer.boot().configuration().modules().stream()
          .filter(module -> module.name().startsWith(PREFIX))
          .collect(
              Collectors.toUnmodifiableMap(
                  module -> module.name().substring(PREFIX.length()),
                  ArchitectureTest::locationOf));

  private static final JavaClasses CLASSES =
      new ClassFileImporter().importLocations(LOCATIONS.values());

  private static Location locationOf(ResolvedModule module) {
    URI uri = module.reference().location().orElseThrow();
    return Location.of(uri.getPath().endsWith(".jar") ? URI.create("jar:" + uri + "!/") : uri);
  }

  /**
   * ArchUnit passes rules over classes that it could not read, so what it read is checked first.
   */
  @Test
  void everyModuleIsSeen() {
    assertThat(LOCATIONS.keySet())
        .containsExactlyInAnyOrder(
            "base",
            "format",
            "model",
            "symbols",
            "target",
            "trace",
            "host",
            "kernel",
            "session",
            "lang",
            "command",
            "dtrace",
            "capstone",
            "testkit",
            "cli");
    assertThat(CLASSES).hasSizeGreaterThan(300);
    for (String module : LOCATIONS.keySet()) {
      assertThat(CLASSES.that(resideInAPackage(PREFIX + module + "..")))
          .as("classes of %s", module)
          .isNotEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"format", "target", "kernel"})
  void siblingsAreIndependent(String module) {
    check(
        slices()
            .matching(PREFIX + module + ".(*)..")
            .should()
            .notDependOnEachOther()
            // What QEMU's monitor prints: no backend, but read for both that talk to QEMU.
            .ignoreDependency(
                DescribedPredicate.alwaysTrue(), resideInAPackage(PREFIX + "target.monitor"))
            // What /proc tells of this host's processes: no backend either.
            .ignoreDependency(
                DescribedPredicate.alwaysTrue(), resideInAPackage(PREFIX + "target.local"))
            // What is loaded into a process: no kernel, but what two are made of.
            .ignoreDependency(
                DescribedPredicate.alwaysTrue(), resideInAPackage(PREFIX + "kernel.objects"))
            .because("each format, backend and kernel can be read, tested and removed alone"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "base",
        "format",
        "model",
        "symbols",
        "target",
        "trace",
        "host",
        "kernel",
        "session",
        "lang",
        "command",
        "dtrace",
        "capstone",
        "testkit",
        "cli"
      })
  void packagesHaveNoCycles(String module) {
    check(slices().matching(PREFIX + module + ".(**)").should().beFreeOfCycles());
  }

  @Test
  void onlyTheProgramPrints() {
    for (String stream : new String[] {"out", "err"}) {
      check(
          noClasses()
              .that()
              .resideOutsideOfPackage(PREFIX + "cli..")
              .should()
              .accessField(System.class, stream)
              .because("commands return values; only the program writes to the terminal"));
    }
  }

  @Test
  void onlyHostCallsNativeCode() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(PREFIX + "host..")
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Linker.class, SymbolLookup.class)
            .because("native access is granted to one module"));
  }

  @Test
  void noMutableStatics() {
    check(
        fields()
            .that()
            .haveModifier(JavaModifier.STATIC)
            .should()
            .haveModifier(JavaModifier.FINAL)
            .because("two sessions in one process must not share state"));
  }

  @Test
  void exceptionsAreOneFamily() {
    check(
        classes()
            .that()
            .areAssignableTo(Throwable.class)
            .should()
            .beAssignableTo("dev.fathom.base.FathomException")
            .because("whoever catches the family has caught everything that the program means"));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }
}
