package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The SQL for PostgreSQL stays where databases that speak its protocol can follow. */
class PostgresSqlTest {
  private static final List<String> FORBIDDEN =
      List.of(
          "\\bnextval\\b|\\bcurrval\\b|\\bsetval\\b|\\bsequence\\b|\\b\\w*serial\\b|\\bidentity\\b",
          "pg_(try_)?advisory",
          "\\bpg_\\w+",
          "\\btxid_|\\bxid8?\\b|\\bxmin\\b|\\bxmax\\b|\\bctid\\b|snapshot\\(",
          "\\btrigger\\b",
          "\\block\\s+table\\b",
          "\\bdeferrable\\b|\\bexclude\\b|\\bexclusion\\b",
          "\\bgenerated\\b",
          "\\btemp(orary)?\\b",
          "^\\s*set\\b|\\bset\\s+(local|session)\\b",
          "::",
          "\\bdomain\\b|\\benum\\b|\\bjsonb?\\b|\\brange\\b");
  private static final Pattern TYPE =
      Pattern.compile("^\\s+(?!CHECK|PRIMARY|UNIQUE|FOREIGN)\\w+ (\\w+)", Pattern.MULTILINE);

  @Test
  void noStatementLeavesTheSubset() throws Exception {
    var statements = statements();
    assertThat(statements).hasSizeGreaterThan(30);
    for (var sql : statements) {
      for (var forbidden : FORBIDDEN) {
        assertThat(sql.toLowerCase(Locale.ROOT)).doesNotContainPattern(forbidden);
      }
    }
  }

  @Test
  void theHintIsTheOnlyUseOfNotify() throws Exception {
    assertThat(statements().stream().filter(sql -> sql.matches("(?s).*\\b(NOTIFY|LISTEN)\\b.*")))
        .containsExactlyInAnyOrder(PostgresSql.HINT, PostgresSql.HEAR);
  }

  @Test
  void columnsHavePlainTypes() {
    for (var migration : PostgresStore.MIGRATIONS.known()) {
      for (var sql : migration.statements()) {
        if (sql.startsWith("CREATE TABLE")) {
          assertThat(TYPE.matcher(sql).results().map(found -> found.group(1)))
              .isNotEmpty()
              .isSubsetOf("bigint", "text", "bytea", "boolean", "timestamptz");
        }
      }
    }
  }

  private static List<String> statements() throws IllegalAccessException {
    var all = new ArrayList<String>();
    for (var field : PostgresSql.class.getDeclaredFields()) {
      if (field.getType() == String.class) {
        all.add((String) field.get(null));
      }
    }
    PostgresStore.MIGRATIONS.known().forEach(migration -> all.addAll(migration.statements()));
    return all;
  }
}
