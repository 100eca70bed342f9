using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Streams;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Tests.Streams;

/// <summary>Every kind of event in every shape, held against what OCSF 1.5.0, FHIR R4 and BALP require of it.</summary>
public sealed partial class ShapeTests
{
    private static readonly Guid Tenant = new("0193d3a0-0000-7000-8000-00000000000a"), Account = new("0193d3a0-0000-7000-8000-00000000000b"), Patient = new("0193d3a0-0000-7000-8000-00000000000c"),
        Colleague = new("0193d3a0-0000-7000-8000-00000000000d"), Other = new("0193d3a0-0000-7000-8000-00000000000e");

    private static readonly ShapeContext Context = new(Tenant, "clinic.example", "0193/ledger/0193", "1.2.3", new HashSet<Guid> { Patient });

    // Of each class used: activity_id's values and what is required, from the schema's own definitions (events/ and objects/ of release 1.5.0).
    private static readonly Dictionary<int, (int[] Activities, string[] Required)> Classes = new()
    {
        [0] = ([0, 99], []),
        [2004] = ([0, 1, 2, 3, 99], ["finding_info"]),
        [3001] = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99], ["user"]),
        [3002] = ([0, 1, 2, 3, 4, 5, 6, 99], ["user"]),
        [3004] = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99], ["entity"]),
        [6002] = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 99], ["app"]),
        [6003] = ([0, 1, 2, 3, 4, 99], ["actor", "api", "src_endpoint"]),
    };

    private static readonly Dictionary<string, (string[] Required, string[] OneOf)> Objects = new(StringComparer.Ordinal)
    {
        ["metadata"] = (["version", "product"], []), ["product"] = ([], ["name", "uid"]), ["app"] = ([], ["name", "uid"]), ["user"] = ([], ["account", "name", "uid"]), ["actor"] = ([], ["user", "session", "process", "app_name"]),
        ["api"] = (["operation"], []), ["src_endpoint"] = ([], ["ip", "uid", "name", "hostname", "svc_name"]), ["entity"] = ([], ["name", "uid", "device", "group", "org", "policy", "user"]), ["finding_info"] = (["uid", "title"], []),
        ["service"] = ([], ["name", "uid"]), ["policy"] = ([], ["name", "uid"]),
    };

    public static TheoryData<string> Actions => [.. EventCatalogue.All.Select(type => type.Action)];

    [Theory]
    [MemberData(nameof(Actions))]
    public void An_event_is_what_ocsf_requires(string action)
    {
        foreach (var (each, happened) in Variants(action))
        {
            var line = StreamShapes.Line(StreamRow.Ocsf, each, Context).ToArray();
            var json = JsonDocument.Parse(line).RootElement;
            int Number(string name) => json.GetProperty(name).GetInt32();
            Assert.True(Classes.TryGetValue(Number("class_uid"), out var known), $"class {Number("class_uid")}");
            Assert.Contains(Number("activity_id"), known.Activities);
            Assert.Equal((Number("class_uid") / 1000, (Number("class_uid") * 100) + Number("activity_id")), (Number("category_uid"), Number("type_uid")));
            Assert.Contains(Number("severity_id"), (int[])[1, 3, 5]);
            Assert.Equal(happened.At.ToUnixTimeMilliseconds(), json.GetProperty("time").GetInt64());
            foreach (var name in known.Required.Append("metadata")) Assert.True(json.TryGetProperty(name, out _), $"{action} lacks {name}");
            if (Number("class_uid") == 3002) Assert.True(json.TryGetProperty("service", out _));        // or dst_endpoint
            if (Number("activity_id") == 99) Assert.Equal(action, json.GetProperty("activity_name").GetString());
            Assert.Equal(Number("class_uid") == 2004 || happened.Outcome == EventOutcome.Success ? 1 : 2, Number("status_id"));
            CheckObjects(json);
            var metadata = json.GetProperty("metadata");
            Assert.Equal(("1.5.0", happened.Id, 41, action), (metadata.GetProperty("version").GetString(), metadata.GetProperty("uid").GetGuid(), metadata.GetProperty("sequence").GetInt32(), metadata.GetProperty("event_code").GetString()));
            Assert.Equal(Encoding.UTF8.GetString(each.Line.Span), json.GetProperty("unmapped").GetProperty("event").GetRawText());
            Assert.DoesNotContain((byte)'\n', line);
        }
    }

    [Theory]
    [InlineData("auth.login.success", 300201)]
    [InlineData("auth.login.failure", 300201)]
    [InlineData("auth.logout", 300202)]
    [InlineData("auth.password_changed", 300103)]
    [InlineData("auth.2fa_disabled", 300111)]
    [InlineData("auth.locked", 300109)]
    [InlineData("staff.created", 300101)]
    [InlineData("staff.role_changed", 300199)]
    [InlineData("patient.viewed", 300402)]
    [InlineData("patient.created", 300401)]
    [InlineData("patient.updated", 300403)]
    [InlineData("patient.searched", 600302)]
    [InlineData("settings.modified", 600303)]
    [InlineData("security.session_hijack", 200401)]
    [InlineData("system.started", 600203)]
    [InlineData("ledger.verified", 600399)]
    public void What_matters_most_has_its_word(string action, int type)
    {
        var about = action.StartsWith("patient.", StringComparison.Ordinal) && action != "patient.searched";
        var happened = Variants(action).Select(variant => variant.Happened).First(one => (one.Entity is not null) == about && one.Outcome == EventOutcome.Success);
        Assert.Equal(type, OcsfShape.KindOf(happened).Type);
    }

    [Theory]
    [MemberData(nameof(Actions))]
    public void An_event_is_what_fhir_and_balp_require(string action)
    {
        foreach (var (each, happened) in Variants(action))
        {
            var json = JsonDocument.Parse(StreamShapes.Line(StreamRow.Fhir, each, Context).ToArray()).RootElement;
            CheckAuditEvent(json);
            Assert.Equal(happened.Id, json.GetProperty("id").GetGuid());
            Assert.Contains(json.GetProperty("subtype").EnumerateArray(), code => code.GetProperty("system").GetString() == "urn:chaperone:event" && code.GetProperty("code").GetString() == action);
            Assert.Equal(happened.Outcome == EventOutcome.Success, json.GetProperty("outcome").GetString() == "0");
            var patients = json.GetProperty("entity").EnumerateArray().Where(IsPatient).Select(entity => entity.GetProperty("what").GetProperty("identifier").GetProperty("value").GetString()).ToList();
            Assert.Equal(happened.Subjects.Contains(Patient) || happened.Entity?.Type == "patient", patients.Contains($"urn:uuid:{Patient}"));
            Assert.DoesNotContain($"urn:uuid:{Colleague}", patients);
            if (json.TryGetProperty("meta", out var meta)) CheckProfile(json, meta.GetProperty("profile")[0].GetString()!);
        }
    }

    [Theory]
    [InlineData("patient.viewed", "PatientRead")]
    [InlineData("patient.created", "PatientCreate")]
    [InlineData("patient.updated", "PatientUpdate")]
    public void A_patients_record_seen_or_changed_is_a_pattern_of_balp(string action, string profile)
    {
        var (each, _) = Variants(action).First(variant => variant.Happened is { Outcome: EventOutcome.Success, Entity: not null, Actor.Id: not null, Source.Ip: not null });
        var json = JsonDocument.Parse(StreamShapes.Line(StreamRow.Fhir, each, Context).ToArray()).RootElement;
        Assert.Equal("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + profile, json.GetProperty("meta").GetProperty("profile")[0].GetString());
    }

    [Fact]
    public void What_cannot_be_passed_on_is_a_marker_in_every_shape()
    {
        foreach (var (state, word) in new[] { (SliceState.Expired, "expired"), (SliceState.Altered, "altered"), (SliceState.Missing, "missing") })
        {
            var each = new SliceEvent(41, Other, state, default, null);
            Assert.Equal($$"""{"index":41,"id":"{{Other}}","marker":"{{word}}"}""", Encoding.UTF8.GetString(StreamShapes.Line(StreamRow.Native, each, Context)));
            var ocsf = JsonDocument.Parse(StreamShapes.Line(StreamRow.Ocsf, each, Context).ToArray()).RootElement;
            Assert.Equal((0, 99, word, state == SliceState.Expired ? 1 : 5), (ocsf.GetProperty("class_uid").GetInt32(), ocsf.GetProperty("type_uid").GetInt32(), ocsf.GetProperty("status_code").GetString(), ocsf.GetProperty("severity_id").GetInt32()));
            CheckObjects(ocsf);
            var fhir = JsonDocument.Parse(StreamShapes.Line(StreamRow.Fhir, each, Context).ToArray()).RootElement;
            CheckAuditEvent(fhir);
            Assert.Contains(fhir.GetProperty("subtype").EnumerateArray(), code => code.GetProperty("code").GetString() == "log." + word);
            Assert.Equal(state == SliceState.Expired ? "0" : "12", fhir.GetProperty("outcome").GetString());
        }
    }

    [Fact]
    public void Many_events_in_fhir_are_a_batch_that_can_come_twice()
    {
        var events = Variants("patient.viewed").Take(3).Select(variant => variant.Each).ToList();
        var bundle = JsonDocument.Parse(StreamShapes.Body(new StreamMessage(Other, 41, 44, events, StreamRow.Fhir, Context))).RootElement;
        Assert.Equal(("Bundle", "batch", 3), (bundle.GetProperty("resourceType").GetString(), bundle.GetProperty("type").GetString(), bundle.GetProperty("entry").GetArrayLength()));
        foreach (var entry in bundle.GetProperty("entry").EnumerateArray())
        {
            CheckAuditEvent(entry.GetProperty("resource"));
            Assert.Equal(("PUT", "AuditEvent/" + entry.GetProperty("resource").GetProperty("id").GetString()), (entry.GetProperty("request").GetProperty("method").GetString(), entry.GetProperty("request").GetProperty("url").GetString()));
        }
    }

    private static void CheckObjects(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in json.EnumerateArray()) CheckObjects(item);
            return;
        }
        if (json.ValueKind != JsonValueKind.Object) return;
        foreach (var property in json.EnumerateObject())
        {
            if (property.Name == "unmapped") continue;
            if (property.Value.ValueKind == JsonValueKind.Object && Objects.TryGetValue(property.Name, out var known))
            {
                foreach (var name in known.Required) Assert.True(property.Value.TryGetProperty(name, out _), $"{property.Name} lacks {name}");
                Assert.True(known.OneOf.Length == 0 || known.OneOf.Any(name => property.Value.TryGetProperty(name, out _)), $"{property.Name} has none of {string.Join(", ", known.OneOf)}");
            }
            CheckObjects(property.Value);
        }
    }

    // Cardinalities and bindings of AuditEvent, R4 (4.0.1).
    private static void CheckAuditEvent(JsonElement json)
    {
        Assert.Equal("AuditEvent", json.GetProperty("resourceType").GetString());
        Assert.Matches("^[A-Za-z0-9.-]{1,64}$", json.GetProperty("id").GetString());
        CheckCoding(json.GetProperty("type"));
        foreach (var code in json.GetProperty("subtype").EnumerateArray()) CheckCoding(code);
        Assert.Contains(json.GetProperty("action").GetString(), (string[])["C", "R", "U", "D", "E"]);
        Assert.Matches(Instant(), json.GetProperty("recorded").GetString());
        Assert.Contains(json.GetProperty("outcome").GetString(), (string[])["0", "4", "8", "12"]);
        var agents = json.GetProperty("agent").EnumerateArray().ToList();
        Assert.Single(agents, agent => agent.GetProperty("requestor").GetBoolean());
        foreach (var agent in agents)
        {
            Assert.NotEmpty(agent.GetProperty("who").GetProperty("identifier").GetProperty("value").GetString()!);
            if (agent.TryGetProperty("network", out var network)) Assert.Contains(network.GetProperty("type").GetString(), (string[])["1", "2", "3", "4", "5"]);
        }
        Assert.NotEmpty(json.GetProperty("source").GetProperty("observer").GetProperty("identifier").GetProperty("value").GetString()!);
        foreach (var entity in json.GetProperty("entity").EnumerateArray())
        {
            CheckCoding(entity.GetProperty("type"));
            CheckCoding(entity.GetProperty("role"));
            Assert.NotEmpty(entity.GetProperty("what").GetProperty("identifier").GetProperty("value").GetString()!);
            if (!entity.TryGetProperty("detail", out var details)) continue;
            foreach (var detail in details.EnumerateArray()) Assert.True(detail.GetProperty("type").GetString()!.Length > 0 && detail.GetProperty("valueString").GetString()!.Length > 0);
        }
        foreach (var empty in Empties(json)) Assert.Fail("FHIR knows no empty " + empty);
    }

    // What the profiles ask for besides: input/fsh/Patient*.fsh of IHE's ITI.BasicAudit.
    private static void CheckProfile(JsonElement json, string url)
    {
        var name = url[(url.LastIndexOf('.') + 1)..];
        var (ofPatient, pattern) = name.StartsWith("Patient", StringComparison.Ordinal) ? (true, name[7..]) : (false, name);
        var (reads, interaction) = (pattern == "Read", pattern.ToLowerInvariant());
        Assert.Equal("rest", json.GetProperty("type").GetProperty("code").GetString());
        Assert.Single(json.GetProperty("subtype").EnumerateArray(), code => code.GetProperty("system").GetString() == "http://hl7.org/fhir/restful-interaction" && code.GetProperty("code").GetString() == interaction);
        Assert.Equal((pattern[..1], "0"), (json.GetProperty("action").GetString(), json.GetProperty("outcome").GetString()));
        JsonElement Agent(string code) => Assert.Single(json.GetProperty("agent").EnumerateArray(), agent => agent.GetProperty("type").GetProperty("coding")[0].GetProperty("code").GetString() == code);
        foreach (var machine in new[] { Agent("110152"), Agent("110153") }) Assert.True(machine.TryGetProperty("network", out _) && !machine.GetProperty("requestor").GetBoolean());
        Assert.Equal("2", Agent(reads ? "110152" : "110153").GetProperty("network").GetProperty("type").GetString());        // the client
        var user = Agent(reads ? "IRCP" : "AUT");
        Assert.True(user.GetProperty("requestor").GetBoolean() && !user.TryGetProperty("network", out _) && user.TryGetProperty("role", out _));
        var data = Assert.Single(json.GetProperty("entity").EnumerateArray(), entity => entity.GetProperty("type").GetProperty("code").GetString() == "2");
        Assert.Equal("4", data.GetProperty("role").GetProperty("code").GetString());
        Assert.Equal(ofPatient ? 1 : 0, json.GetProperty("entity").EnumerateArray().Count(IsPatient));
        foreach (var patient in json.GetProperty("entity").EnumerateArray().Where(IsPatient)) Assert.Equal("Patient", patient.GetProperty("what").GetProperty("type").GetString());
    }

    private static bool IsPatient(JsonElement entity) => entity.GetProperty("type").GetProperty("code").GetString() == "1" && entity.GetProperty("role").GetProperty("code").GetString() == "1";

    private static void CheckCoding(JsonElement code) => Assert.True(Uri.IsWellFormedUriString(code.GetProperty("system").GetString(), UriKind.Absolute) && code.GetProperty("code").GetString()!.Length > 0);

    private static IEnumerable<string> Empties(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().Any() ? json.EnumerateObject().SelectMany(property => Empties(property.Value)) : ["object"],
        JsonValueKind.Array => json.GetArrayLength() > 0 ? json.EnumerateArray().SelectMany(Empties) : ["array"],
        JsonValueKind.String => json.GetString()!.Length > 0 ? [] : ["string"],
        _ => json.ValueKind == JsonValueKind.Null ? ["null"] : [],
    };

    private static IEnumerable<(SliceEvent Each, LedgerEvent Happened)> Variants(string action)
    {
        var type = EventCatalogue.Find(action);
        var people = new EventActor[] { new(ActorKind.User, Account, "doctor", Other), new(ActorKind.System, Role: "streams"), new(ActorKind.Operator), new(ActorKind.Anonymous) };
        foreach (var outcome in Enum.GetValues<EventOutcome>())
        {
            foreach (var actor in people)
            {
                foreach (var entity in new EventEntity?[] { new("patient", Patient), new("member", Colleague), null })
                {
                    var happened = new LedgerEvent
                    {
                        Id = Other, At = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero), Action = action, Category = type.Category, Severity = type.Severity, Outcome = outcome, Actor = actor, Entity = entity,
                        Subjects = entity?.Type == "member" ? [Colleague] : [Patient], Decision = "role:doctor/patient.view", Reason = outcome == EventOutcome.Success ? null : "CHP-X-0001",
                        Source = actor.Kind == ActorKind.User ? new("web", "GET /patients/{id}", "192.0.2.7", "blink/linux") : new("job", "streams"),
                        Changes = [new("phone", "changed"), new("status", null, "booked", "cancelled")], Details = new Dictionary<string, EventFact> { ["rows"] = 3 },
                    };
                    yield return (new(41, Other, SliceState.Verified, EventJson.Write(happened), happened), happened);
                }
            }
        }
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Instant();
}
