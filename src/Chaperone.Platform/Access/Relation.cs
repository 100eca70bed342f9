namespace Chaperone.Platform.Access;

/// <summary>How the actor stands to the resource, from nothing to closest; the order is meant (a closer relation satisfies a need for a weaker one).</summary>
public enum Relation
{
    /// <summary>Another clinic's, or nothing there: always refused as if it did not exist.</summary>
    None = 0,

    /// <summary>In the actor's clinic; also the relation to the clinic's own things, such as settings and the log.</summary>
    SameClinic = 1,

    /// <summary>Shared explicitly with the actor, until an end date.</summary>
    Shared = 2,

    /// <summary>The actor is in the patient's care team.</summary>
    Assigned = 3,

    /// <summary>The actor is the person concerned (patient, employee), or the named practitioner, or has an appointment with them from 12 months ago to 3 months ahead.</summary>
    Own = 4,
}
