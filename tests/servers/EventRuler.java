import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.Machine;

/** The engine of EventBridge. In: lines of {"patterns": {name: pattern}, "events": [text]}. Out: a line for each, with
 *  {"refused": {name: reason}, "matched": [[name]]}. */
public class EventRuler {
    record Answer(java.util.Map<String, String> refused, List<List<String>> matched) {}

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonNode asked = mapper.readTree(line);
            Answer answer = new Answer(new java.util.TreeMap<>(), new ArrayList<>());
            Machine machine = new Machine();
            asked.get("patterns").fields().forEachRemaining(entry -> {
                try {
                    machine.addRule(entry.getKey(), entry.getValue().asText());
                } catch (Exception error) {
                    answer.refused.put(entry.getKey(), String.valueOf(error.getMessage()));
                }
            });
            for (JsonNode event : asked.get("events")) {
                answer.matched.add(machine.rulesForJSONEvent(event.asText()));
            }
            System.out.println(mapper.writeValueAsString(answer));
            System.out.flush();
        }
    }
}
