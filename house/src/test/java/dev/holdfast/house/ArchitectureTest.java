package dev.holdfast.house;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Who may use whom, from the table in {@link Rooms}. */
class ArchitectureTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.holdfast");

  /** What only {@code limits} may call: owner to methods. */
  private static final Map<String, Set<String>> CLOCK_AND_CHANCE =
      Map.of(
          "java.lang.System", Set.of("currentTimeMillis", "nanoTime"),
          "java.lang.Thread", Set.of("sleep"),
          "java.lang.Math", Set.of("random"),
          "java.time.Instant", Set.of("now"),
          "java.time.LocalDate", Set.of("now"),
          "java.time.LocalDateTime", Set.of("now"),
          "java.time.OffsetDateTime", Set.of("now"),
          "java.time.ZonedDateTime", Set.of("now"),
          "java.time.Clock", Set.of("systemUTC", "systemDefaultZone", "system"),
          "java.util.UUID", Set.of("randomUUID"));

  private static final Set<String> CHANCE =
      Set.of(
          "java.util.Random",
          "java.util.SplittableRandom",
          "java.util.concurrent.ThreadLocalRandom",
          "java.security.SecureRandom");

  private static final Set<String> MEANINGLESS =
      Set.of("util", "utils", "common", "impl", "manager", "helper", "helpers", "misc");

  @TestFactory
  Stream<DynamicTest> roomsUseOnlyWhatTheTableAllows() {
    return Rooms.ALL.stream()
        .map(room ->
            dynamicTest(
                room.name(),
                () ->
                    classes()
                        .that()
                        .resideInAPackage(room.packageName())
                        .should()
                        .onlyDependOnClassesThat(not(resideInAnyPackage(foreign(room))))
                        .allowEmptyShould(true)
                        .check(ALL)));
  }

  @TestFactory
  Stream<DynamicTest> roomsShowExactlyWhatTheTableSays() {
    return Rooms.ALL.stream()
        .map(room ->
            dynamicTest(
                room.name(),
                () ->
                    assertThat(shown(room))
                        .as("public top-level types of " + room.packageName())
                        .isEqualTo(new TreeSet<>(room.shows()))));
  }

  @TestFactory
  Stream<DynamicTest> bordersHold() {
    return Rooms.BORDERS.stream()
        .map(border ->
            dynamicTest(
                border.packages(),
                () ->
                    noClasses()
                        .that()
                        .resideOutsideOfPackages(packages(border.rooms()))
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage(border.packages())
                        .check(ALL)));
  }

  @Test
  void everyPackageIsARoom() {
    var packages = ALL.stream().map(JavaClass::getPackageName).collect(toSet());
    var rooms = Rooms.ALL.stream().map(Rooms.Room::packageName).collect(toSet());
    assertThat(packages).isSubsetOf(rooms);
    assertThat(packages).contains("dev.holdfast.limits", "dev.holdfast.ledger");
  }

  @Test
  void noNameThatSaysNothing() {
    assertThat(ALL)
        .noneMatch(
            type -> MEANINGLESS.stream().anyMatch(nameParts(type.getPackageName())::contains))
        .noneMatch(type -> type.getSimpleName().matches(".*(Util|Utils|Helper|Manager|Impl)"));
  }

  @Test
  void timeAndChanceComeThroughLimits() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.holdfast.limits")
        // The command stands on HTTP alone, so it has a door of its own.
        .and()
        .haveNameNotMatching("dev\\.holdfast\\.cli\\.SystemPace.*")
        .should()
        .accessTargetWhere(clockOrChance())
        .check(ALL);
  }

  @Test
  void theRuleForTimeAndChanceFindsThem() {
    var calls =
        ALL.get("dev.holdfast.limits.SystemTime").getAccessesFromSelf().stream()
            .filter(access -> clockOrChance().test(access))
            .map(access -> access.getTarget().getOwner().getSimpleName())
            .collect(toSet());
    assertThat(calls).contains("System", "Instant", "Thread", "SecureRandom");
  }

  @Test
  void nothingIsOpenForInheritanceByAccident() {
    var open =
        ALL.stream()
            .filter(type -> !type.isInterface() && !type.isEnum() && !type.isRecord())
            .filter(type -> !type.isAnonymousClass() && !isPackageInfo(type))
            .filter(type -> !type.getModifiers().contains(JavaModifier.FINAL))
            // A class that is abstract was made to be extended, here by its own package.
            .filter(type -> !type.getModifiers().contains(JavaModifier.ABSTRACT))
            .filter(type -> !type.reflect().isSealed())
            .map(JavaClass::getName)
            .toList();
    assertThat(open).as("neither final, sealed, a record nor an enum").isEmpty();
  }

  private static boolean isPackageInfo(JavaClass type) {
    return type.getSimpleName().equals("package-info");
  }

  private static DescribedPredicate<JavaAccess<?>> clockOrChance() {
    return DescribedPredicate.describe(
        "is clock, chance or sleep",
        access -> {
          AccessTarget target = access.getTarget();
          var owner = target.getOwner().getName();
          return CLOCK_AND_CHANCE.getOrDefault(owner, Set.of()).contains(target.getName())
              || (CHANCE.contains(owner) && unseeded(target));
        });
  }

  /** A seed makes chance an argument, which is what the rule wants. */
  private static boolean unseeded(AccessTarget target) {
    boolean seeded =
        target instanceof AccessTarget.ConstructorCallTarget constructor
            && !constructor.getRawParameterTypes().isEmpty();
    return Set.of("<init>", "current").contains(target.getName()) && !seeded;
  }

  private static String[] foreign(Rooms.Room room) {
    return Rooms.ALL.stream()
        .filter(other -> !other.equals(room) && !room.uses().contains(other.name()))
        .map(Rooms.Room::packageName)
        .toArray(String[]::new);
  }

  private static Set<String> shown(Rooms.Room room) {
    return ALL.stream()
        .filter(type -> type.getPackageName().equals(room.packageName()))
        .filter(type -> type.isTopLevelClass() && !isPackageInfo(type))
        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
        .map(JavaClass::getSimpleName)
        .collect(toCollection(TreeSet::new));
  }

  private static String[] packages(Set<String> rooms) {
    return rooms.stream().map(room -> "dev.holdfast." + room).toArray(String[]::new);
  }

  private static List<String> nameParts(String packageName) {
    return List.of(packageName.split("\\.", -1));
  }
}
