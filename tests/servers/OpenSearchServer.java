import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node on 127.0.0.1 until standard input ends. Arguments: HTTP port, folder, settings name=value. */
public class OpenSearchServer {
    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", arguments[0]);
            settings.put("transport.port", "0");
            settings.put("discovery.type", "single-node");
            for (int i = 2; i < arguments.length; i++) {
                String[] setting = arguments[i].split("=", 2);
                settings.put(setting[0], setting[1]);
            }
        });
        runner.build(OpenSearchRunner.newConfigs().basePath(arguments[1]).clusterName("trailsieve").numOfNode(1));
        while (System.in.read() >= 0) { }
        runner.close();
        System.exit(0);
    }
}
