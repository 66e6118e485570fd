package dev.holdfast.edge;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Policy;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever adds a setting to {@link Policy} shows on a socket that it acts, and says where. */
class PolicyTableTest {
  /** A test on a real socket that fails when the setting has no effect. */
  private record Proof(Class<?> test, String method) {}

  private static final Map<String, Proof> PROOFS =
      Map.ofEntries(
          effect("maintenance", "answersForAnAppInMaintenance"),
          effect("maintenancePage", "answersForAnAppInMaintenance"),
          effect("errorPage", "showsTheOwnersPageForAnErrorOfTheEdge"),
          effect("https", "sendsPlainRequestsToHttps"),
          effect("hstsSeconds", "tellsBrowsersToComeByHttpsOnly"),
          effect("requestBytesMax", "refusesBodiesBeyondTheBoundHoweverTheyAreFramed"),
          proof("requestHeaderBytesMax", RequestPolicyTest.class, "refusesHeadsBeyondTheBound"),
          effect("firstByteTimeoutMillis", "hasPatienceOfItsOwn"),
          effect("idleTimeoutMillis", "cutsAnAnswerThatIsSilentForTooLong"),
          proof("tunnelIdleMillis", LongLifeTest.class, "cutsAWebSocketThatIsSilentForTooLong"),
          effect("tunnelLifetimeMillis", "endsATunnelThatHasLivedLongEnough"),
          proof("stickySessions", EndpointPolicyTest.class, "bringsAVisitorBackToHisEndpoint"),
          proof("upstream", GrpcTest.class, "passesAUnaryCall"),
          proof("compression", CompressionEffectTest.class, "compressesForWhomTakesIt"),
          effect("requestsPerEndpointMax", "sendsOnlySoManyRequestsToOneEndpoint"),
          proof(
              "connectionsPerEndpointMax",
              EndpointPolicyTest.class,
              "connectsOnlySoOftenToOneEndpointTunnelsCounted"),
          proof("healthPath", CheckupsTest.class, "visitorsAreSentToWhoIsWell"),
          proof(
              "healthIntervalMillis",
              CheckupsTest.class,
              "asksEveryEndpointAtItsIntervalAndNotAtOneTime"),
          effect("priority", "letsControlPassWhateverElseIsRefused"),
          effect("account", "countsHostsOfOneAccountTogether"),
          proof("expectContinue", RequestPolicyTest.class, "letsTheAppSayWhetherItWantsTheBody"));

  private static Map.Entry<String, Proof> proof(String setting, Class<?> test, String method) {
    return entry(setting, new Proof(test, method));
  }

  private static Map.Entry<String, Proof> effect(String setting, String method) {
    return proof(setting, PolicyEffectTest.class, method);
  }

  @Test
  void namesAProofForEverySetting() {
    var settings =
        Arrays.stream(Policy.class.getRecordComponents())
            .map(RecordComponent::getName)
            .collect(Collectors.toSet());
    assertThat(PROOFS.keySet()).isEqualTo(settings);
  }

  static Iterable<String> settings() {
    return PROOFS.keySet();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void namesATestThatRuns(String setting) {
    var proof = PROOFS.get(setting);
    assertThat(proof).isNotNull();
    if (proof != null) {
      assertThat(
              Arrays.stream(proof.test().getDeclaredMethods())
                  .filter(method -> method.getName().equals(proof.method()))
                  .filter(method ->
                      method.isAnnotationPresent(Test.class)
                          || method.isAnnotationPresent(ParameterizedTest.class)))
          .hasSize(1);
    }
  }
}
