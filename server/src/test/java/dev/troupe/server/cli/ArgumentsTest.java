package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.Model.CommandSpec;

final class ArgumentsTest {

  private static final Map<String, CommandSpec> COMMANDS = new Terminal().commands();

  @ParameterizedTest
  @CsvSource({
    "agents list, statuses, --status",
    "agents list, capabilities[1], --capability",
    "agents list, labels[a.b], --label",
    "agents list, labels key, --label",
    "agents list, namespace, --namespace",
    "agents get, agent_id, AGENT",
    "agents command, command.cancel_task.task_id, --task",
    "agents command, command.message.type, --type",
    "agents release-ports, ports, PORT",
    "agents watch, agent_ids[0], --id",
    "agents watch, types[0], --type",
    "tasks enqueue, task.task_id, --id",
    "tasks enqueue, task.retry.max_failures, --max-failures",
    "tasks enqueue, task.content_type, --content-type",
    "tasks enqueue, queue, QUEUE",
    "tasks get, task_id, TASK",
    "tasks redrive, task_ids[3], TASK",
    "tasks redrive, max_tasks, --max",
    "tasks wait, timeout, --timeout",
    "queues purge, states, --state",
    "events tail, topics[0], --topic",
    "events tail, start_time, --from",
    "events tail, filter.types[0], --type",
    "events tail, filter.subject_prefix, --subject",
    "events tail, filter.attributes[trace.id], --attribute",
    "events tail, filter.cesql, --where",
    "events publish, event.id, --id",
    "events publish, event.datacontenttype, --content-type",
    "events publish, topic, TOPIC",
    "events history, start_time, --since",
    "events history, end_time, --until",
    "events replay, to_topic, TO",
    "events topics create, settings.max_age, --max-age",
    "events topics delete, expected_version, --expected-version",
    "events groups create, settings.ack_deadline, --ack-deadline",
    "events groups create, settings.filter.cesql, --where",
    "events groups create, start.time, --from",
    "events groups seek, start.topic_position, --to",
    "events groups redrive, topic_positions, --position",
    "events consume, member_id, --member",
    "events consume, wait, --timeout",
    "locks acquire, name, LOCK",
    "locks acquire, ttl, --ttl",
    "locks acquire, wait, --wait",
    "locks release, lease_id, LEASE",
    "locks watch, names[0], --name",
    "memory put, item.content.text, TEXT",
    "memory put, item.content, TEXT",
    "memory put, item.tags[2], --tag",
    "memory put, item.lifetime, --lifetime",
    "memory get, item_id, ITEM",
    "memory list, filter.all_tags[0], --tag",
    "memory list, filter.tiers[0], --tier",
    "memory search, top_k, --limit",
    "memory search, min_revision, --revision",
    "memory forget, item_ids[0], ITEM",
    "memory update, item.content.text, --text",
    "memory promote, tier, --to",
    "memory settings, settings.short_tier.lifetime, --short-lifetime",
    "memory settings, settings.long_tier.consolidation_lead, --consolidation-lead",
    "memory spaces list, prefix, --prefix",
    "memory spaces create, settings.working_tier.lifetime, --working-lifetime",
    "memory spaces create, settings.promotions[0].to, --promotion",
    "memory spaces create, settings.promotions[0].reads, --promotion",
    "memory spaces create, settings.search.recency_half_life, --recency-half-life",
    "memory spaces update, settings.dimension, --dimension",
    "memory conversations append, turns[0].role, --role",
    "memory conversations append, turns[0].text, TEXT",
    "memory conversations append, expected_last_turn, --expected-last-turn",
    "memory conversations window, max_turns, --last",
    "memory conversations window, before_turn, --before",
    "memory conversations summarise, last_turn, --up-to",
    "memory conversations summarise, keep_turns, --keep",
  })
  void a_field_is_told_by_what_it_was_given_by(String command, String field, String argument) {
    assertThat(argument(command, field)).isEqualTo(argument);
  }

  @ParameterizedTest
  @CsvSource({"locks acquire, held_lease_id", "tasks get, page_size", "events tail, slow_policy"})
  void a_field_that_no_argument_gives_keeps_its_name(String command, String field) {
    assertThat(argument(command, field)).isEqualTo(field);
  }

  private static String argument(String command, String field) {
    return Arguments.of(Objects.requireNonNull(COMMANDS.get("troupe " + command)), field);
  }
}
