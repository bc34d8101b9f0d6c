import { choose, usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

export function AppearanceMenu() {
  const { theme, density } = usePreferences();
  const { themes, densities } = texts.appearance;
  return (
    <div className="menu-anchor">
      <button type="button" className="tool" aria-label={texts.appearance.title} popoverTarget="appearance">
        <Icon name="theme" />
      </button>
      <div id="appearance" className="menu" popover="auto" role="dialog" aria-label={texts.appearance.title}>
        <fieldset>
          <legend>{texts.appearance.theme}</legend>
          {(['system', 'light', 'dark'] as const).map((name) => (
            <label key={name}>
              <input type="radio" name="theme" checked={theme === name} onChange={() => choose({ theme: name })} />
              {themes[name]}
            </label>
          ))}
        </fieldset>
        <fieldset>
          <legend>{texts.appearance.density}</legend>
          {(['comfortable', 'compact'] as const).map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="density"
                checked={density === name}
                onChange={() => choose({ density: name })}
              />
              {densities[name]}
            </label>
          ))}
        </fieldset>
      </div>
    </div>
  );
}
