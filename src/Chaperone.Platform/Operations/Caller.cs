using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Platform.Operations;

/// <summary>Who acts. Read from the session for every request; never remembered between requests.</summary>
public sealed record Actor
{
    /// <summary>What kind of actor.</summary>
    public required ActorKind Kind { get; init; }

    /// <summary>The account; null for system and anonymous.</summary>
    public Guid? Id { get; init; }

    /// <summary>The patient whose account this is, if it is one.</summary>
    public Guid? PatientId { get; init; }

    /// <summary>The role shown in events: the first of the account's roles.</summary>
    public string? Role { get; init; }

    /// <summary>The session acted in.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>What the account may do.</summary>
    public ActorRights Rights { get; init; } = ActorRights.Nothing;

    /// <summary>How far the session has proved itself.</summary>
    public ActorState State { get; init; }

    /// <summary>Nobody in particular.</summary>
    public static Actor Anonymous { get; } = new() { Kind = ActorKind.Anonymous };

    /// <summary>The system itself: jobs and start-up.</summary>
    public static Actor System { get; } = new() { Kind = ActorKind.System };

    /// <summary>The operator at the command line.</summary>
    public static Actor Operator { get; } = new() { Kind = ActorKind.Operator };
}

/// <summary>Where a call came from.</summary>
/// <param name="Channel">web, api, job or cli.</param>
/// <param name="Route">The route's template with its method, never its values.</param>
/// <param name="Ip">The client's address, or null inside the process.</param>
/// <param name="Client">The client's family: browser engine and operating system.</param>
public sealed record CallSource(string Channel, string? Route = null, string? Ip = null, string? Client = null);

/// <summary>Who asks, in which clinic, from where: everything the monitor needs besides the operation.</summary>
public sealed record Caller(Tenant Tenant, Actor Actor, CallSource Source);
