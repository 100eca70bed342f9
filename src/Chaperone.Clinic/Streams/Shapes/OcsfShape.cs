using System.Collections.Frozen;
using System.Text.Json;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Streams.Shapes;

/// <summary>What an event is in OCSF's words.</summary>
/// <param name="Class">class_uid; its thousands are the category.</param>
/// <param name="Activity">activity_id.</param>
internal readonly record struct OcsfKind(int Class, int Activity)
{
    public const int Base = 0, Detection = 2004, Account = 3001, Authentication = 3002, Entity = 3004, Lifecycle = 6002, Api = 6003;
    public const int Create = 1, Read = 2, Update = 3, Delete = 4, Other = 99;

    public int Category => Class / 1000;

    public int Type => (Class * 100) + Activity;
}

/// <summary>Events as OCSF has them (Open Cybersecurity Schema Framework, https://schema.ocsf.io/). The event itself stands whole under <c>unmapped</c>.</summary>
internal static class OcsfShape
{
    /// <summary>The schema's version.</summary>
    public const string Version = "1.5.0";

    private static readonly FrozenDictionary<string, OcsfKind> Known = new Dictionary<string, OcsfKind>
    {
        ["auth.login.success"] = new(OcsfKind.Authentication, 1), ["auth.login.failure"] = new(OcsfKind.Authentication, 1), ["auth.backup_code_used"] = new(OcsfKind.Authentication, 1),
        ["auth.logout"] = new(OcsfKind.Authentication, 2), ["auth.session_ended"] = new(OcsfKind.Authentication, 2),
        ["auth.code_requested"] = new(OcsfKind.Authentication, 6), ["auth.2fa_failed"] = new(OcsfKind.Authentication, 6), ["auth.step_up"] = new(OcsfKind.Authentication, OcsfKind.Other),
        ["auth.password_changed"] = new(OcsfKind.Account, 3), ["auth.password_reset_requested"] = new(OcsfKind.Account, 4), ["auth.password_reset_issued"] = new(OcsfKind.Account, 4),
        ["auth.password_reset_used"] = new(OcsfKind.Account, 4), ["auth.locked"] = new(OcsfKind.Account, 9), ["auth.unlocked"] = new(OcsfKind.Account, 12),
        ["auth.2fa_enabled"] = new(OcsfKind.Account, 10), ["auth.2fa_disabled"] = new(OcsfKind.Account, 11), ["auth.2fa_enrolment_started"] = new(OcsfKind.Account, OcsfKind.Other),
        ["auth.backup_codes_generated"] = new(OcsfKind.Account, OcsfKind.Other), ["auth.device_trusted"] = new(OcsfKind.Account, OcsfKind.Other), ["auth.device_revoked"] = new(OcsfKind.Account, OcsfKind.Other),
        ["auth.devices_viewed"] = new(OcsfKind.Api, OcsfKind.Read), ["auth.sessions_viewed"] = new(OcsfKind.Api, OcsfKind.Read),
        ["staff.created"] = new(OcsfKind.Account, 1), ["staff.reactivated"] = new(OcsfKind.Account, 2), ["staff.deactivated"] = new(OcsfKind.Account, 5),
        ["staff.invited"] = new(OcsfKind.Account, OcsfKind.Other), ["staff.updated"] = new(OcsfKind.Account, OcsfKind.Other), ["staff.role_changed"] = new(OcsfKind.Account, OcsfKind.Other),
        ["staff.permission_changed"] = new(OcsfKind.Account, OcsfKind.Other),
        ["system.started"] = new(OcsfKind.Lifecycle, 3), ["system.stopped"] = new(OcsfKind.Lifecycle, 4),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Creates = FrozenSet.ToFrozenSet(["created", "added", "booked", "uploaded", "saved", "token_made", "filter_saved", "feed_made", "leave_entered", "imported"], StringComparer.Ordinal);
    private static readonly FrozenSet<string> Deletes = FrozenSet.ToFrozenSet(["deleted", "removed", "discarded", "destroyed", "filter_removed", "token_revoked", "feed_revoked", "leave_removed"], StringComparer.Ordinal);

    /// <summary>Create, read, update or delete; <see cref="OcsfKind.Other"/> for what is none of them.</summary>
    public static int CrudOf(LedgerEvent happened) => StreamShapes.Verb(happened.Action) switch
    {
        _ when happened.Category == EventCategory.DataAccess => OcsfKind.Read,
        var verb when Creates.Contains(verb) => OcsfKind.Create,
        var verb when Deletes.Contains(verb) => OcsfKind.Delete,
        _ when happened.Category is EventCategory.DataChange or EventCategory.Administration or EventCategory.Payment => OcsfKind.Update,
        _ => OcsfKind.Other,
    };

    public static OcsfKind KindOf(LedgerEvent happened)
    {
        if (Known.TryGetValue(happened.Action, out var known)) return known;
        if (happened.Category == EventCategory.Security) return new(OcsfKind.Detection, OcsfKind.Create);
        if (happened.Category == EventCategory.Authentication) return new(OcsfKind.Authentication, OcsfKind.Other);
        return new(happened.Entity is not null && happened.Category != EventCategory.System ? OcsfKind.Entity : OcsfKind.Api, CrudOf(happened));
    }

    public static void Write(Utf8JsonWriter json, SliceEvent each, ShapeContext context)
    {
        json.WriteStartObject();
        if (each.Event is { } happened) Write(json, each, happened, context);
        else WriteMarker(json, each, context);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SliceEvent each, LedgerEvent happened, ShapeContext context)
    {
        var kind = KindOf(happened);
        WriteHead(json, kind, each, happened.Action, context);
        if (kind.Activity == OcsfKind.Other) json.WriteString("activity_name"u8, happened.Action);
        json.WriteNumber("severity_id"u8, happened.Severity switch { EventSeverity.Critical => 5, EventSeverity.Warning => 3, _ => 1 });
        // Of a finding the status says how far people are with it.
        json.WriteNumber("status_id"u8, kind.Class == OcsfKind.Detection || happened.Outcome == EventOutcome.Success ? 1 : 2);
        json.WriteString("status_code"u8, EventJson.Name(happened.Outcome));
        if (happened.Reason is { } reason) json.WriteString("status_detail"u8, reason);
        if (EventCatalogue.Knows(happened.Action)) json.WriteString("message"u8, EventCatalogue.Find(happened.Action).Sentence);
        switch (kind.Class)
        {
            case OcsfKind.Detection:
                json.WriteStartObject("finding_info"u8);
                json.WriteString("uid"u8, happened.Id);
                json.WriteString("title"u8, happened.Action);
                json.WriteEndObject();
                json.WriteStartArray("evidences"u8);
                json.WriteStartObject();
                WriteActor(json, happened);
                WriteSource(json, happened);
                WriteApi(json, happened);
                json.WriteEndObject();
                json.WriteEndArray();
                break;
            case OcsfKind.Account or OcsfKind.Authentication:
                WriteUser(json, "user"u8, kind.Class == OcsfKind.Account && happened.Entity is { Type: "account" or "member" or "staff" } account ? account.Id : happened.Actor.Id, happened.Actor);
                WriteActor(json, happened);
                WriteSource(json, happened);
                WriteRequest(json, happened);
                if (kind.Class == OcsfKind.Authentication) WriteService(json, context);
                break;
            case OcsfKind.Lifecycle:
                WriteProduct(json, "app"u8, context);
                break;
            default:
                if (kind.Class == OcsfKind.Entity)
                {
                    json.WriteStartObject("entity"u8);
                    json.WriteString("uid"u8, happened.Entity!.Id);
                    json.WriteString("type"u8, happened.Entity.Type);
                    json.WriteEndObject();
                }
                else
                {
                    WriteApi(json, happened);
                }
                WriteActor(json, happened);
                WriteSource(json, happened);
                WriteRequest(json, happened);
                break;
        }
        json.WriteStartObject("unmapped"u8);
        json.WritePropertyName("event"u8);
        json.WriteRawValue(each.Line.Span);
        json.WriteEndObject();
    }

    private static void WriteMarker(Utf8JsonWriter json, SliceEvent each, ShapeContext context)
    {
        var marker = StreamShapes.Marker(each.State);
        WriteHead(json, new(OcsfKind.Base, OcsfKind.Other), each, "log." + marker, context);
        json.WriteString("activity_name"u8, "log." + marker);
        json.WriteNumber("severity_id"u8, each.State == SliceState.Expired ? 1 : 5);
        json.WriteNumber("status_id"u8, each.State == SliceState.Expired ? 1 : 2);
        json.WriteString("status_code"u8, marker);
        json.WriteStartObject("unmapped"u8);
        json.WriteString("marker"u8, marker);
        json.WriteEndObject();
    }

    private static void WriteHead(Utf8JsonWriter json, OcsfKind kind, SliceEvent each, string code, ShapeContext context)
    {
        json.WriteNumber("category_uid"u8, kind.Category);
        json.WriteNumber("class_uid"u8, kind.Class);
        json.WriteNumber("activity_id"u8, kind.Activity);
        json.WriteNumber("type_uid"u8, kind.Type);
        json.WriteNumber("time"u8, each.At.ToUnixTimeMilliseconds());
        json.WriteStartObject("metadata"u8);
        json.WriteString("version"u8, Version);
        WriteProduct(json, "product"u8, context);
        json.WriteString("uid"u8, each.Id);
        json.WriteNumber("sequence"u8, each.Index);
        json.WriteString("event_code"u8, code);
        json.WriteString("log_name"u8, context.Origin);
        json.WriteString("tenant_uid"u8, context.Tenant);
        json.WriteString("original_time"u8, StreamShapes.Time(each.At));
        json.WriteEndObject();
    }

    private static void WriteProduct(Utf8JsonWriter json, ReadOnlySpan<byte> name, ShapeContext context)
    {
        json.WriteStartObject(name);
        json.WriteString("name"u8, "Chaperone");
        json.WriteString("vendor_name"u8, "Chaperone");
        json.WriteString("version"u8, context.Version);
        json.WriteEndObject();
    }

    private static void WriteService(Utf8JsonWriter json, ShapeContext context)
    {
        json.WriteStartObject("service"u8);
        json.WriteString("name"u8, context.Host);
        json.WriteEndObject();
    }

    private static void WriteActor(Utf8JsonWriter json, LedgerEvent happened)
    {
        json.WriteStartObject("actor"u8);
        WriteUser(json, "user"u8, happened.Actor.Id, happened.Actor);
        if (happened.Actor.Session is { } session)
        {
            json.WriteStartObject("session"u8);
            json.WriteString("uid"u8, session);
            json.WriteEndObject();
        }
        if (happened.Decision.Length > 0)
        {
            json.WriteStartArray("authorizations"u8);
            json.WriteStartObject();
            json.WriteString("decision"u8, happened.Outcome == EventOutcome.Denied ? "denied" : "allowed");
            json.WriteStartObject("policy"u8);
            json.WriteString("name"u8, happened.Decision);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    // Never a name of somebody: where there is no account, the name says what sort of actor it is.
    private static void WriteUser(Utf8JsonWriter json, ReadOnlySpan<byte> name, Guid? id, EventActor actor)
    {
        json.WriteStartObject(name);
        if (id is { } account) json.WriteString("uid"u8, account);
        else json.WriteString("name"u8, EventJson.Name(actor.Kind));
        json.WriteNumber("type_id"u8, id is not null ? 1 : actor.Kind switch { ActorKind.System => 3, ActorKind.Operator => 2, _ => 0 });
        if (id == actor.Id && actor.Role is { } role)
        {
            json.WriteStartArray("groups"u8);
            json.WriteStartObject();
            json.WriteString("name"u8, role);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, LedgerEvent happened)
    {
        json.WriteStartObject("src_endpoint"u8);
        if (happened.Source.Ip is { } ip) json.WriteString("ip"u8, ip);
        else json.WriteString("svc_name"u8, happened.Source.Channel.Length > 0 ? happened.Source.Channel : "unknown");
        json.WriteEndObject();
    }

    private static void WriteApi(Utf8JsonWriter json, LedgerEvent happened)
    {
        json.WriteStartObject("api"u8);
        json.WriteString("operation"u8, happened.Action);
        json.WriteEndObject();
    }

    private static void WriteRequest(Utf8JsonWriter json, LedgerEvent happened)
    {
        if (happened.Source.Channel is not ("web" or "api")) return;
        json.WriteStartObject("http_request"u8);
        if (happened.Source.Route?.Split(' ')[0] is "GET" or "POST" or "PUT" or "DELETE" or "HEAD" or "PATCH") json.WriteString("http_method"u8, happened.Source.Route.Split(' ')[0]);
        if (happened.Source.Client is { } client) json.WriteString("user_agent"u8, client);
        json.WriteEndObject();
    }
}
