import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.event.ruler.Machine;

/**
 * The engine of EventBridge. In: lines of {"patterns": [pattern as text], "events": [event as text]}. Out: for each
 * a line with, for each pattern, the numbers of the events that match, or the reason why it is refused.
 */
public class EventRuler {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonNode asked = mapper.readTree(line);
            List<Object> answers = new ArrayList<>();
            for (JsonNode pattern : asked.get("patterns")) {
                answers.add(answer(pattern.asText(), asked.get("events")));
            }
            System.out.println(mapper.writeValueAsString(answers));
        }
    }

    /** A machine for one pattern alone: with many, Ruler 1.8.1 can lose matches. */
    static Object answer(String pattern, JsonNode events) throws Exception {
        Machine machine = new Machine();
        try {
            machine.addRule("pattern", pattern);
        } catch (Exception error) {
            return String.valueOf(error.getMessage());
        }
        List<Integer> matched = new ArrayList<>();
        for (int number = 0; number < events.size(); number++) {
            if (!machine.rulesForJSONEvent(events.get(number).asText()).isEmpty()) {
                matched.add(number);
            }
        }
        return matched;
    }
}
