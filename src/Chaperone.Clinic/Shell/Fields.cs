using System.Collections;
using Microsoft.AspNetCore.Components;

namespace Chaperone.Clinic.Shell;

/// <summary>What is wrong with a posted form: at most one sentence per field, in the order the fields stand on the page.</summary>
/// <remarks>A message names the remedy ("Enter a date of birth that is not in the future") and never repeats what was typed.</remarks>
public sealed class FormErrors : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> errors = [];

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsEmpty => errors.Count == 0;

    /// <summary>The sentence for a field, or null. The empty name stands for the form as a whole.</summary>
    public string? this[string field] => errors.Find(error => error.Key == field).Value;

    /// <summary>Adds a sentence for a field unless it has one.</summary>
    public void Add(string field, string message)
    {
        if (this[field] is null) errors.Add(new(field, message));
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => errors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>One choice of a <see cref="SelectField"/>.</summary>
/// <param name="Value">What is posted.</param>
/// <param name="Label">What people read.</param>
public sealed record Choice(string Value, string Label);

/// <summary>What every field has: a name, a visible label, a hint, an error tied to it, and the word "optional" where it may be left out.</summary>
public abstract class Field : ComponentBase
{
    /// <summary>Name posted.</summary>
    [Parameter, EditorRequired] public string Name { get; set; } = "";

    /// <summary>Visible label.</summary>
    [Parameter, EditorRequired] public string Label { get; set; } = "";

    /// <summary>Id of the control; the name when not given. Must be unique on the page.</summary>
    [Parameter] public string? Id { get; set; }

    /// <summary>A sentence of help under the label.</summary>
    [Parameter] public string? Hint { get; set; }

    /// <summary>The form's errors; the field shows its own.</summary>
    [Parameter] public FormErrors? Errors { get; set; }

    /// <summary>Whether it must be filled in. The server decides; the browser's own check is off (forms carry novalidate).</summary>
    [Parameter] public bool Required { get; set; }

    /// <summary>Whether "(optional)" is written where the field is not required; off where every field is (filters).</summary>
    [Parameter] public bool MarkOptional { get; set; } = true;

    /// <summary>What the browser may fill in, after the HTML standard ("username", "one-time-code", "off").</summary>
    [Parameter] public string Autocomplete { get; set; } = "off";

    /// <summary>Width in the form's grid of twelve.</summary>
    [Parameter] public int Width { get; set; } = 12;

    /// <summary>The id in use.</summary>
    protected string ControlId => Id ?? Name;

    /// <summary>Whether the label says nothing about being optional.</summary>
    protected bool Unmarked => Required || !MarkOptional;

    /// <summary>The field's own error.</summary>
    protected string? Error => Errors?[Name];

    /// <summary>Ids of hint and error for aria-describedby, or null.</summary>
    protected string? DescribedBy
    {
        get
        {
            var ids = new List<string>();
            if (Hint is not null) ids.Add($"{ControlId}-hint");
            if (Error is not null) ids.Add($"{ControlId}-error");
            return ids.Count == 0 ? null : string.Join(' ', ids);
        }
    }

    /// <summary>"true" when the field is in error, else null so that the attribute is left out.</summary>
    protected string? Invalid => Error is null ? null : "true";

    /// <summary>Classes of the column the field stands in.</summary>
    protected string Column => Width >= 12 ? "field col-12" : $"field col-12 col-md-{Width}";
}
