package dev.troupe.server.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A config record and the settings that its components declare.
 *
 * @param type the record
 * @param settings one per component, in order
 */
public record ConfigSchema(Class<? extends Record> type, List<SettingSpec> settings) {

  /** Reads the declarations. A component without {@link Setting} is a fault of the program. */
  public static ConfigSchema of(Class<? extends Record> type) {
    return new ConfigSchema(
        type, Arrays.stream(type.getRecordComponents()).map(ConfigSchema::spec).toList());
  }

  /** The schemas of several records. Two settings of one name are a fault of the program. */
  public static List<ConfigSchema> of(List<? extends Class<? extends Record>> types) {
    List<ConfigSchema> schemas = types.stream().distinct().map(ConfigSchema::of).toList();
    Map<String, SettingSpec> byVariable = new HashMap<>();
    for (ConfigSchema schema : schemas) {
      for (SettingSpec setting : schema.settings()) {
        SettingSpec other = byVariable.put(setting.environmentName(), setting);
        if (other != null) {
          throw new IllegalStateException(
              "settings " + other.name() + " and " + setting.name() + " share a name");
        }
      }
    }
    return schemas;
  }

  private static SettingSpec spec(RecordComponent component) {
    Setting setting = component.getAnnotation(Setting.class);
    if (setting == null) {
      throw new IllegalStateException("no @Setting on " + component);
    }
    return new SettingSpec(
        setting.name(),
        setting.help(),
        setting.fallback(),
        setting.secret(),
        component.getGenericType());
  }

  /**
   * Builds the record, which runs its own checks.
   *
   * @param values one per component, in order
   * @throws IllegalArgumentException from those checks
   */
  Record build(List<Object> values) {
    Class<?>[] parameters =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      Constructor<? extends Record> constructor = type.getDeclaredConstructor(parameters);
      constructor.setAccessible(true);
      return constructor.newInstance(values.toArray());
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException refused) {
        throw refused;
      }
      throw new IllegalStateException("the checks of " + type + " broke", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot build " + type, e);
    }
  }
}
