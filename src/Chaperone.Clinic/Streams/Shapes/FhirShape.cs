using System.Text.Json;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Streams.Shapes;

/// <summary>Events as AuditEvent of FHIR R4, as IHE's Basic Audit Log Patterns (BALP) has them. A profile is claimed only where all of it is there.</summary>
internal static class FhirShape
{
    public const string ActionSystem = "urn:chaperone:event", RoleSystem = "urn:chaperone:role", Profiles = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM", Rest = "http://terminology.hl7.org/CodeSystem/audit-event-type", Interaction = "http://hl7.org/fhir/restful-interaction";
    private const string EntityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type", ObjectRole = "http://terminology.hl7.org/CodeSystem/object-role";
    private const string Participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", SourceType = "http://terminology.hl7.org/CodeSystem/security-source-type";

    private readonly record struct Code(string System, string Value, string Display);

    private static readonly Code Restful = new(Rest, "rest", "Restful Operation"), Application = new(Dicom, "110100", "Application Activity"), LogUsed = new(Dicom, "110101", "Audit Log Used"),
        Export = new(Dicom, "110106", "Export"), Import = new(Dicom, "110107", "Import"), Alert = new(Dicom, "110113", "Security Alert"), SignIn = new(Dicom, "110114", "User Authentication");

    /// <summary>What it is, more closely where there is a word for it, and what was done.</summary>
    private static (Code Type, Code? Subtype, string Action) KindOf(LedgerEvent happened)
    {
        var (area, crud) = (happened.Action.Split('.')[0], OcsfShape.CrudOf(happened));
        var action = crud switch { OcsfKind.Create => "C", OcsfKind.Read => "R", OcsfKind.Update => "U", OcsfKind.Delete => "D", _ => "E" };
        if (happened.Action is "system.started") return (Application, new(Dicom, "110120", "Application Start"), "E");
        if (happened.Action is "system.stopped") return (Application, new(Dicom, "110121", "Application Stop"), "E");
        if (happened.Category == EventCategory.Authentication)
        {
            var kind = OcsfShape.KindOf(happened);
            return kind.Class == OcsfKind.Authentication && kind.Activity is 1 or 6 ? (SignIn, new(Dicom, "110122", "Login"), "E") : kind is { Class: OcsfKind.Authentication, Activity: 2 } ? (SignIn, new(Dicom, "110123", "Logout"), "E") : (SignIn, null, "E");
        }
        if (area == "staff" && happened.Category == EventCategory.Administration) return (Alert, new(Dicom, "110137", "User security Attributes Changed"), action);
        if (happened.Category == EventCategory.Administration) return (Alert, new(Dicom, "110129", "Security Configuration"), action);
        if (happened.Category == EventCategory.Security) return (Alert, null, "E");
        if (happened.Category == EventCategory.System) return (Application, null, "E");
        if (area == "audit") return (LogUsed, null, "R");
        if (happened.Action is "data.exported" or "data.export_started") return (Export, null, "R");
        if (area == "import" && crud != OcsfKind.Read) return (Import, null, "C");
        if (StreamShapes.Verb(happened.Action) is "searched" or "listed") return (Restful, new(Interaction, "search-type", "search-type"), "E");
        return crud switch
        {
            OcsfKind.Create => (Restful, new(Interaction, "create", "create"), "C"),
            OcsfKind.Delete => (Restful, new(Interaction, "delete", "delete"), "D"),
            OcsfKind.Update => (Restful, new(Interaction, "update", "update"), "U"),
            _ => (Restful, new(Interaction, "read", "read"), "R"),
        };
    }

    public static void Write(Utf8JsonWriter json, SliceEvent each, ShapeContext context)
    {
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "AuditEvent");
        json.WriteString("id"u8, each.Id);
        if (each.Event is { } happened) Write(json, each, happened, context);
        else WriteMarker(json, each, context);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SliceEvent each, LedgerEvent happened, ShapeContext context)
    {
        var (type, subtype, action) = KindOf(happened);
        var patients = happened.Subjects.Where(context.Patients.Contains).Concat(happened.Entity is { Type: "patient" } about ? [about.Id] : []).Distinct().ToList();
        if (ProfileOf(happened, type, action, subtype, patients.Count) is { } profile)
        {
            json.WriteStartObject("meta"u8);
            json.WriteStartArray("profile"u8);
            json.WriteStringValue(Profiles + profile);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        WriteCode(json, "type"u8, type);
        json.WriteStartArray("subtype"u8);
        if (subtype is { } closer) WriteCode(json, null, closer);
        WriteCode(json, null, new(ActionSystem, happened.Action, happened.Action));
        json.WriteEndArray();
        json.WriteString("action"u8, action);
        WriteRecorded(json, each);
        json.WriteString("outcome"u8, happened.Outcome switch { EventOutcome.Success => "0", EventOutcome.Failure => "4", _ => "8" });
        if (happened.Outcome != EventOutcome.Success) json.WriteString("outcomeDesc"u8, happened.Reason ?? EventJson.Name(happened.Outcome));
        json.WriteStartArray("agent"u8);
        WriteAgents(json, happened, reads: action == "R", context);
        json.WriteEndArray();
        WriteSource(json, context);
        json.WriteStartArray("entity"u8);
        WriteData(json, each, happened, context);
        foreach (var patient in patients) WritePerson(json, patient, "Patient", "1", "Patient");
        foreach (var person in happened.Subjects.Where(id => !patients.Contains(id)).Distinct()) WritePerson(json, person, null, "6", "User");
        json.WriteEndArray();
    }

    // BALP's patterns are of what succeeded, with both ends known: a client with its address, a signed-in user, the data and at most one patient.
    private static string? ProfileOf(LedgerEvent happened, Code type, string action, Code? subtype, int patients)
    {
        if (type != Restful || subtype is null or { Value: "search-type" } || happened.Outcome != EventOutcome.Success || happened.Source.Ip is null || happened.Actor.Id is null || happened.Entity is null || patients > 1) return null;
        var pattern = action switch { "C" => "Create", "R" => "Read", "U" => "Update", "D" => "Delete", _ => null };
        return pattern is null ? null : patients == 1 ? "Patient" + pattern : pattern;
    }

    private static void WriteAgents(Utf8JsonWriter json, LedgerEvent happened, bool reads, ShapeContext context)
    {
        // Who reads is the destination of the data, who changes is its source.
        Code source = new(Dicom, "110153", "Source Role ID"), destination = new(Dicom, "110152", "Destination Role ID");
        if (happened.Source.Ip is { } ip)
        {
            json.WriteStartObject();
            WriteConcept(json, "type"u8, reads ? destination : source);
            WriteIdentifier(json, "who"u8, null, null, happened.Source.Client ?? ip);
            json.WriteBoolean("requestor"u8, false);
            WriteNetwork(json, ip, "2");
            json.WriteEndObject();
        }
        json.WriteStartObject();
        WriteConcept(json, "type"u8, reads ? source : destination);
        WriteIdentifier(json, "who"u8, null, null, context.Host);
        json.WriteBoolean("requestor"u8, happened.Actor.Id is null);
        WriteNetwork(json, context.Host, "1");
        json.WriteEndObject();
        if (happened.Actor.Id is not { } account) return;
        json.WriteStartObject();
        WriteConcept(json, "type"u8, reads || happened.Category is EventCategory.DataAccess ? new(Participation, "IRCP", "information recipient") : new(Participation, "AUT", "author (originator)"));
        if (happened.Actor.Role is { } role)
        {
            json.WriteStartArray("role"u8);
            WriteConcept(json, null, new(RoleSystem, role, role));
            json.WriteEndArray();
        }
        WriteIdentifier(json, "who"u8, null, "urn:ietf:rfc:3986", $"urn:uuid:{account:D}");
        json.WriteBoolean("requestor"u8, true);
        json.WriteEndObject();
    }

    private static void WriteNetwork(Utf8JsonWriter json, string address, string type)
    {
        json.WriteStartObject("network"u8);
        json.WriteString("address"u8, address);
        json.WriteString("type"u8, type);
        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, ShapeContext context)
    {
        json.WriteStartObject("source"u8);
        json.WriteString("site"u8, context.Host);
        WriteIdentifier(json, "observer"u8, null, null, context.Origin);
        json.WriteStartArray("type"u8);
        WriteCode(json, null, new(SourceType, "4", "Application Server"));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter json, SliceEvent each, LedgerEvent? happened, ShapeContext context)
    {
        json.WriteStartObject();
        if (happened?.Entity is { } entity) WriteIdentifier(json, "what"u8, entity.Type switch { "patient" => "Patient", "appointment" => "Appointment", _ => null }, "urn:ietf:rfc:3986", $"urn:uuid:{entity.Id:D}");
        else WriteIdentifier(json, "what"u8, null, null, context.Origin);
        WriteCode(json, "type"u8, new(EntityType, "2", "System Object"));
        WriteCode(json, "role"u8, new(ObjectRole, "4", "Domain Resource"));
        json.WriteStartArray("detail"u8);
        Detail("log", context.Origin);
        Detail("index", each.Index.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (happened is null) Detail("marker", StreamShapes.Marker(each.State));
        else
        {
            if (happened.Entity is { } about) Detail("entity", about.Type);
            Detail("severity", EventJson.Name(happened.Severity));
            if (happened.Decision.Length > 0) Detail("decision", happened.Decision);
            if (happened.Reason is { } reason) Detail("reason", reason);
            if (happened.Actor.Session is { } session) Detail("session", session.ToString("D"));
            if (happened.Source.Route is { } route) Detail("route", route);
            if (happened.Hits is { } hits) Detail("hits", hits.ToString(System.Globalization.CultureInfo.InvariantCulture));
            foreach (var change in happened.Changes) Detail("change", change.Change is { } how ? $"{change.Field}: {how}" : $"{change.Field}: {change.Before} → {change.After}");
            foreach (var (name, fact) in happened.Details) Detail("fact." + name, fact.ToString());
        }
        json.WriteEndArray();
        json.WriteEndObject();

        void Detail(string type, string value)
        {
            if (value.Length == 0) return;
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            json.WriteString("valueString"u8, value);
            json.WriteEndObject();
        }
    }

    private static void WritePerson(Utf8JsonWriter json, Guid person, string? resource, string role, string display)
    {
        json.WriteStartObject();
        WriteIdentifier(json, "what"u8, resource, "urn:ietf:rfc:3986", $"urn:uuid:{person:D}");
        WriteCode(json, "type"u8, new(EntityType, "1", "Person"));
        WriteCode(json, "role"u8, new(ObjectRole, role, display));
        json.WriteEndObject();
    }

    private static void WriteMarker(Utf8JsonWriter json, SliceEvent each, ShapeContext context)
    {
        var marker = "log." + StreamShapes.Marker(each.State);
        WriteCode(json, "type"u8, each.State == SliceState.Expired ? LogUsed : Alert);
        json.WriteStartArray("subtype"u8);
        WriteCode(json, null, new(ActionSystem, marker, marker));
        json.WriteEndArray();
        json.WriteString("action"u8, "E");
        WriteRecorded(json, each);
        json.WriteString("outcome"u8, each.State == SliceState.Expired ? "0" : "12");
        json.WriteStartArray("agent"u8);
        json.WriteStartObject();
        WriteIdentifier(json, "who"u8, null, null, context.Host);
        json.WriteBoolean("requestor"u8, true);
        json.WriteEndObject();
        json.WriteEndArray();
        WriteSource(json, context);
        json.WriteStartArray("entity"u8);
        WriteData(json, each, null, context);
        json.WriteEndArray();
    }

    private static void WriteRecorded(Utf8JsonWriter json, SliceEvent each) =>
        json.WriteString("recorded"u8, each.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));

    private static void WriteCode(Utf8JsonWriter json, ReadOnlySpan<byte> name, Code code)
    {
        if (name.IsEmpty) json.WriteStartObject();
        else json.WriteStartObject(name);
        json.WriteString("system"u8, code.System);
        json.WriteString("code"u8, code.Value);
        json.WriteString("display"u8, code.Display);
        json.WriteEndObject();
    }

    private static void WriteConcept(Utf8JsonWriter json, ReadOnlySpan<byte> name, Code code)
    {
        if (name.IsEmpty) json.WriteStartObject();
        else json.WriteStartObject(name);
        json.WriteStartArray("coding"u8);
        WriteCode(json, null, code);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // A reference by what identifies it: nothing of ours is a resource at the receiver's.
    private static void WriteIdentifier(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? resource, string? system, string value)
    {
        json.WriteStartObject(name);
        if (resource is not null) json.WriteString("type"u8, resource);
        json.WriteStartObject("identifier"u8);
        if (system is not null) json.WriteString("system"u8, system);
        json.WriteString("value"u8, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
